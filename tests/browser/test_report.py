"""The report: its structure, and how a browser lays it out."""

from __future__ import annotations

import html
import json
import os
import re
import shutil
import subprocess
import tempfile
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lxml import etree
from lxml import html as lxml_html

from fshalib.report import html as report_html
from fshalib.report.html import Facts

DATA = json.loads((Path(__file__).with_name("pair.json")).read_text(encoding="utf-8"))
FULL = Facts(**DATA)
EMPTY = Facts("fs1", "2026-09-01T12:00:00Z", why="The cluster is not running on this node.")


def tree(facts):
    return lxml_html.document_fromstring(report_html.page(facts))


def text(node):
    return " ".join(" ".join(node.itertext()).split())


def test_it_needs_nothing_from_elsewhere():
    page = report_html.page(FULL)
    assert "default-src 'none'" in page
    assert not re.search(r"(?:src|href|url\()\s*=?\s*[\"']?https?:", page)
    assert tree(FULL).xpath("//script | //link | //img | //iframe") == []


def test_the_pair_is_drawn():
    page = tree(FULL)
    nodes = page.xpath("//div[contains(@class, 'node')]")
    assert [text(node.find("h3")) for node in nodes] == [n["name"] for n in DATA["status"]["nodes"]]
    assert "active" in text(nodes[0])
    assert "10.101.20.219" in text(nodes[0])
    assert "fs failed" in text(nodes[0])
    assert "active" not in text(nodes[1])
    links = page.xpath("//svg[@class='links']")[0]
    assert "link 1 is DOWN" in " ".join(links.xpath("string(.)").split())


def test_the_worst_lines_stand_first_with_what_to_do():
    lines = tree(FULL).xpath("//section[@aria-labelledby='check']//li")
    assert [text(line).split()[0] for line in lines] == ["fail", "warn", "warn", "skip", "pass"]
    assert "bring the node back" in text(lines[0])


def test_what_operators_have_set():
    found = text(tree(FULL).xpath("//section[@aria-labelledby='actions']")[0])
    assert "by alice since 2026-09-01T08:00:00Z: new disk, until 2026-09-01T10:00:00Z" in found
    assert "crm_resource --clear --resource VoiceServices --node fs2" in found


def test_changes_are_told_newest_first_with_old_and_new():
    found = tree(FULL).xpath("//section[@aria-labelledby='changes']//details")
    assert [text(one.find("summary")).split()[0] for one in found] == ["refused", "drift", "commit"]
    assert "fs params stop_mode hangup recover" in text(found[2])
    assert "VoiceServices object nothing new" in text(found[2])
    assert "(test run)" in text(found[1])


def test_every_switchover_is_in_the_chart_and_in_the_table():
    page = tree(FULL)
    chart = page.xpath("//svg[@class='chart']")[0]
    assert len(chart.xpath(".//circle")) == 4
    assert len(chart.xpath("./rect")) == 1
    assert len(chart.xpath("./g")) == 1
    rows = page.xpath("//section[@aria-labelledby='gaps']//tbody/tr")
    assert [text(row.findall("td")[2]) for row in rows] == [
        "0.44 s", "about 3 s", "0.52 s", "0.46 s", "not known", "1.52 s"
    ]  # fmt: skip
    assert "failed: fs start failed on fs1" in text(rows[4])
    assert text(rows[0].findall("td")[3]) == "209 of 212"
    assert text(rows[1].findall("td")[1]) == (
        "unplanned failover to fs2: fs monitor failed on fs1 (not running)"
    )
    assert text(rows[1].findall("td")[3]) == "180 came back"


def test_the_axis_fits_the_gaps():
    chart = report_html.chart(report_html.gaps(DATA["journal"]))
    assert [tick["label"] for tick in chart["ticks"]] == ["0", "1", "2", "3"]
    heights = [tick["y"] for tick in chart["ticks"]]
    assert heights == sorted(heights, reverse=True)
    assert [day["label"] for day in chart["days"]] == ["2026-06-01", "2026-07-16", "2026-08-30"]


@given(st.lists(st.one_of(st.none(), st.floats(0, 900)), min_size=1, max_size=30))
def test_no_point_leaves_the_chart(values):
    entries = [
        {"at": f"2026-08-{1 + n % 28:02d}T00:00:00Z", "kind": "failover", "node": "fs1",
         "data": {"phase": "finished" if value is not None else "failed", "gap": value}}
        for n, value in enumerate(values)
    ]  # fmt: skip
    entries.sort(key=lambda entry: entry["at"])
    chart = report_html.chart(report_html.gaps(entries))
    if chart is None:
        assert all(value is None for value in values)
        return
    assert len(chart["ticks"]) <= 11
    for point in chart["points"]:
        assert report_html.LEFT <= point["x"] <= report_html.WIDTH
        assert 0 <= point["y"] <= chart["bottom"]


def test_nothing_at_all_is_said_in_words():
    page = text(tree(EMPTY).find("body"))
    for words in ("The cluster is not running", "Nothing was checked", "recorded no switchover",
                  "Nothing is set", "This node has recorded nothing"):  # fmt: skip
        assert words in page
    assert report_html.page(Facts("fs1", "2026-09-01T12:00:00Z"))


HOSTILE = '<script>alert("x")</script>\'"&{{ 1 }}{% x %}</style>'


def spoilt(value):
    if isinstance(value, dict):
        return {key: v if key in KEPT else spoilt(v) for key, v in value.items()}
    if isinstance(value, list):
        return [spoilt(one) for one in value]
    return HOSTILE if isinstance(value, str) else value


KEPT = {"at", "kind", "phase", "verdict"}


def test_hostile_texts_are_only_texts():
    page = tree(Facts(**spoilt(DATA)))
    assert page.xpath("//script") == []
    assert HOSTILE in "".join(page.itertext())
    assert etree.tostring(page).count(b"alert(") == etree.tostring(page).count(b"&gt;alert(")


# --- in a browser ----------------------------------------------------------------------------

CHROMIUM = shutil.which("chromium")
SHOTS = Path(os.environ.get("FSHA_SCREENSHOTS") or tempfile.gettempdir()) / "fsha-report"
PHONE, DESKTOP = 390, 1440

HARNESS = """<!DOCTYPE html><meta charset="utf-8"><style>body {{ margin: 0 }}
iframe {{ border: 0; display: block; width: {width}px; height: 3200px }}</style>
<iframe id="page" srcdoc="{page}"></iframe><pre id="found"></pre>
<script>
const rgb = text => text.match(/[\\d.]+/g).map(Number);
const light = c => {{ const [r, g, b] = c.map(v => v / 255).map(
  v => v <= 0.03928 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4);
  return 0.2126 * r + 0.7152 * g + 0.0722 * b; }};
const ground = (e, w) => {{ for (; e; e = e.parentElement) {{
  const c = rgb(w.getComputedStyle(e).backgroundColor);
  if (c.length < 4 || c[3] > 0) return c.slice(0, 3); }} return [255, 255, 255]; }};
document.getElementById("page").addEventListener("load", event => {{
  const w = event.target.contentWindow, d = w.document, found = {{ clipped: [], faint: [] }};
  found.overflow = d.documentElement.scrollWidth - w.innerWidth;
  found.dark = w.matchMedia("(prefers-color-scheme: dark)").matches;
  found.columns = w.getComputedStyle(d.querySelector("main")).gridTemplateColumns.split(" ").length;
  for (const e of d.querySelectorAll("body *")) {{
    if (e.closest("svg") || !e.innerText || !e.getClientRects().length) continue;
    const box = e.getBoundingClientRect();
    if (box.right > w.innerWidth + 1 || e.scrollWidth > e.clientWidth + 1 && e.clientWidth)
      found.clipped.push(e.tagName + ": " + e.innerText.slice(0, 40));
    if (![...e.childNodes].some(n => n.nodeType === 3 && n.textContent.trim())) continue;
    const [a, b] = [light(rgb(w.getComputedStyle(e).color)), light(ground(e, w))];
    const contrast = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
    if (contrast < 4.5) found.faint.push(contrast.toFixed(2) + " " + e.innerText.slice(0, 40));
  }}
  document.getElementById("found").textContent = JSON.stringify(found);
}});
</script>"""


def chromium(where, *arguments):
    argv = [CHROMIUM, "--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars",
            "--disable-dev-shm-usage", "--virtual-time-budget=3000",
            f"--user-data-dir={where / 'profile'}"]  # fmt: skip
    return subprocess.run(
        [*argv, *arguments], capture_output=True, text=True, check=True, timeout=120
    )


@pytest.mark.skipif(CHROMIUM is None, reason="chromium is not installed on this host (make host)")
@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [PHONE, DESKTOP])
@pytest.mark.parametrize("name", ["full", "empty", "hostile"])
def test_in_a_browser(tmp_path, name, width, scheme):
    facts = {"full": FULL, "empty": EMPTY, "hostile": Facts(**spoilt(DATA))}[name]
    harness = HARNESS.format(width=width, page=html.escape(report_html.page(facts), quote=True))
    page = tmp_path / "harness.html"
    page.write_text(harness, encoding="utf-8")
    dark = f"--blink-settings=preferredColorScheme={0 if scheme == 'dark' else 1}"
    seen = chromium(tmp_path, dark, f"--window-size={max(width, 500)},3200", "--dump-dom",
                    page.as_uri()).stdout  # fmt: skip
    told = lxml_html.document_fromstring(seen).get_element_by_id("found").text
    found = json.loads(told)
    assert found["dark"] is (scheme == "dark")
    assert found["overflow"] <= 0
    assert found["clipped"] == []
    assert found["faint"] == []
    assert found["columns"] == (2 if width == DESKTOP else 1)
    SHOTS.mkdir(parents=True, exist_ok=True)
    shot = SHOTS / f"{name}-{width}-{scheme}.png"
    chromium(tmp_path, dark, f"--window-size={max(width, 500)},1900", f"--screenshot={shot}",
             page.as_uri())  # fmt: skip
    assert shot.stat().st_size > 5000


def entry(at, gap=0.4, phase="finished", **more):
    data = {"phase": phase, "verb": "failover", "old": "fs1", "new": "fs2", "gap": gap, **more}
    return {"at": at, "kind": "failover", "subject": "voice", "node": "fs1", "data": data}


def test_a_move_that_failed_names_where_it_was_to_go():
    back = {"phase": "failed", "new": "fs1", "why": "fs2 is OFFLINE"}
    told = report_html.moves([entry("2026-09-01T02:00:00Z", target="fs2", **back)])
    assert told[0]["what"] == "failover to fs2"
    # As older versions have kept it.
    assert report_html.moves([entry("2026-09-01T02:00:00Z", **back)])[0]["what"] == (
        "failover from fs1"
    )


def test_a_failure_of_unknown_length_does_not_look_like_the_shortest():
    chart = report_html.chart(
        report_html.gaps(
            [
                entry("2026-09-01T02:00:00Z"),
                entry("2026-09-01T03:00:00Z", gap=None, phase="failed"),
            ]
        )
    )
    assert [point["y"] for point in chart["points"]][1] == report_html.TOP


def test_a_day_is_told_by_its_hours_and_a_long_gap_has_few_lines():
    chart = report_html.chart(
        report_html.gaps([entry("2026-09-01T02:00:00Z"), entry("2026-09-01T03:30:00Z", gap=3300.0)])
    )
    assert [day["label"] for day in chart["days"]] == ["09-01 02:00", "09-01 02:45", "09-01 03:30"]
    assert len(chart["ticks"]) <= 6
