"""The page of ``fsha.report``: its style and its template (Jinja, with every value escaped)."""

STYLE = """
:root { color-scheme: light dark;
  --ground: #f6f7f9; --card: #ffffff; --ink: #16202c; --soft: #4d5a69; --line: #d5dbe3;
  --good: #17643a; --weak: #8a4b00; --bad: #a81e1e; --accent: #1d4f91; --wash: #eaf1fb; }
@media (prefers-color-scheme: dark) { :root {
  --ground: #10151c; --card: #1a212b; --ink: #e8edf3; --soft: #a9b5c3; --line: #354050;
  --good: #6fd39a; --weak: #f2b35e; --bad: #ff9a94; --accent: #8fbcff; --wash: #1f2c3e; } }
* { box-sizing: border-box; }
body { margin: 0; background: var(--ground); color: var(--ink);
  font: 15px/1.5 system-ui, -apple-system, "Segoe UI", "DejaVu Sans", sans-serif; }
main { max-width: 1180px; margin: 0 auto; padding: 20px 16px 48px; display: grid; gap: 16px;
  grid-template-columns: minmax(0, 1fr); }
@media (min-width: 980px) { main { grid-template-columns: repeat(2, minmax(0, 1fr)); }
  header, .wide { grid-column: 1 / -1; } }
header { display: flex; flex-wrap: wrap; gap: 2px 10px; align-items: baseline; }
h1 { font-size: 24px; line-height: 1.2; margin: 0; overflow-wrap: anywhere; }
h2 { font-size: 13px; letter-spacing: .06em; text-transform: uppercase; color: var(--soft);
  margin: 0 0 12px; }
p { margin: 0 0 8px; overflow-wrap: anywhere; }
section { background: var(--card); border: 1px solid var(--line); border-radius: 10px;
  padding: 16px; min-width: 0; }
.soft { color: var(--soft); }
.badge { display: inline-block; border: 1px solid currentColor; border-radius: 12px;
  padding: 0 9px; margin: 0 4px 4px 0; font-size: 12px; font-weight: 600; max-width: 100%;
  overflow-wrap: anywhere; }
.pass, .up, .ok { color: var(--good); } .warn { color: var(--weak); }
.fail, .down { color: var(--bad); } .skip { color: var(--soft); }
ul { list-style: none; margin: 0; padding: 0; }
li { display: grid; grid-template-columns: 56px minmax(0, 1fr); gap: 10px; padding: 7px 0;
  border-top: 1px solid var(--line); }
li:first-child { border-top: 0; }
li > div { overflow-wrap: anywhere; }
.hint { color: var(--soft); font-size: 14px; }
code { font: 13px/1.4 ui-monospace, "DejaVu Sans Mono", monospace; overflow-wrap: anywhere; }
table { width: 100%; border-collapse: collapse; table-layout: fixed; font-size: 14px; }
th { text-align: left; font-weight: 600; color: var(--soft); font-size: 12px; }
th, td { padding: 5px 8px 5px 0; border-bottom: 1px solid var(--line); vertical-align: top;
  overflow-wrap: anywhere; }
.moves th:nth-child(1) { width: 28%; } .moves th:nth-child(2) { width: 36%; }
details { border-top: 1px solid var(--line); padding: 8px 0; }
details:first-of-type { border-top: 0; }
summary { cursor: pointer; overflow-wrap: anywhere; }
.pair { display: grid; grid-template-columns: minmax(0, 1fr) 76px minmax(0, 1fr); gap: 0; }
.node { border: 2px solid var(--line); border-radius: 10px; padding: 12px; min-width: 0; }
.pair .node:nth-of-type(n+3) { grid-column: 1 / -1; margin-top: 12px; }
.node.serves { border-color: var(--accent); background: var(--wash); }
.node h3 { margin: 0 0 2px; font-size: 16px; overflow-wrap: anywhere; }
.node .res { margin: 8px 0 0; padding: 5px 8px; border: 1px solid var(--line); border-radius: 6px;
  background: var(--card); font-size: 13px; overflow-wrap: anywhere; }
svg { display: block; width: 100%; height: auto; }
svg text { font: 11px system-ui, sans-serif; fill: var(--soft); }
@media (max-width: 560px) { .pair { grid-template-columns: minmax(0, 1fr); }
  .pair svg { max-width: 76px; margin: 0 auto; } svg.chart text { font-size: 24px; } svg.chart circle { r: 9px; } }
@media print { body { background: #fff; } section { break-inside: avoid; } }
"""

PAGE = """<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<title>{{ title }}: FreeSWITCH pair</title>
<style>{{ style|safe }}</style>
</head>
<body>
<main>
<header>
<h1>{{ title }}</h1>
{% set service = facts.status.service if facts.status else None %}
{% if service and service.node %}
<span class="badge up">{{ service.node }} serves</span>
{% elif service and service.get("several") %}
{% for one in service.several %}
<span class="badge {{ 'up' if one.node else 'down' }}">{{ one.id }} {{ 'on ' ~ one.node if one.node else 'does not serve' }}</span>
{% endfor %}
{% elif facts.status %}
<span class="badge down">does not serve</span>
{% endif %}
{% if facts.check %}
<span class="badge {{ facts.check.verdict }}">check: {{ facts.check.verdict }}</span>
{% endif %}
<span class="soft">as {{ facts.node }} saw it at {{ facts.at }}</span>
</header>

<section class="wide" aria-labelledby="pair">
<h2 id="pair">The pair</h2>
{% if facts.why %}<p class="down">{{ facts.why }}</p>{% endif %}
{% if drawing.nodes %}
<div class="pair">
{% for node in drawing.nodes %}
<div class="node{{ ' serves' if node.serves }}">
<h3>{{ node.name }}</h3>
<span class="badge {{ 'up' if node.state == 'online' else 'warn' if node.state in ('standby', 'maintenance', 'pending') else 'down' }}">{{ node.state }}</span>
{% if node.serves %}<span class="badge up">active</span>{% endif %}
{% if node.dc %}<span class="badge skip">DC</span>{% endif %}
{% if node.serves %}{% for vip in drawing.vips %}
<div class="res"><strong>{{ vip }}</strong> floating address</div>
{% endfor %}{% endif %}
{% for resource in node.resources %}
<div class="res"><strong>{{ resource.id }}</strong> <span class="{{ 'fail' if resource.bad else 'soft' }}">{{ resource.word }}</span></div>
{% else %}
<p class="soft">nothing runs here</p>
{% endfor %}
</div>
{% if loop.first and drawing.nodes|length > 1 %}
<svg viewBox="0 0 76 {{ [40 + 34 * drawing.links|length, 74]|max }}" role="img"
 aria-labelledby="links-title" class="links">
<title id="links-title">{% for link in drawing.links %}link {{ link.number }} is
 {{ 'up' if link.up else 'DOWN' }}. {% else %}the links are not known{% endfor %}</title>
{% for link in drawing.links %}
{% set y = 26 + 34 * loop.index0 %}
<line x1="4" x2="72" y1="{{ y }}" y2="{{ y }}" stroke-width="3"
 stroke="{{ 'var(--good)' if link.up else 'var(--bad)' }}"
 {% if not link.up %}stroke-dasharray="5 6"{% endif %}/>
<text x="38" y="{{ y - 7 }}" text-anchor="middle">link {{ link.number }}{{ '' if link.up else ' down' }}</text>
{% endfor %}
</svg>
{% endif %}
{% endfor %}
</div>
{% elif not facts.why %}
<p class="soft">No node is known.</p>
{% endif %}
</section>

<section aria-labelledby="check">
<h2 id="check">Ready to switch over?</h2>
{% if lines %}
<p>{% for word, number in counts.items() if number %}<span class="badge {{ word }}">{{ number }} {{ word }}</span> {% endfor %}</p>
<ul>
{% for line in lines %}
<li><span class="{{ line.verdict }}"><strong>{{ line.verdict }}</strong></span>
<div><strong>{{ line.title }}{{ ', ' ~ line.node if line.node }}</strong>: {{ line.evidence }}
{% if line.advice and line.verdict in ('warn', 'fail') %}<div class="hint">{{ line.advice }}</div>{% endif %}
</div></li>
{% endfor %}
</ul>
{% else %}
<p class="soft">Nothing was checked.</p>
{% endif %}
</section>

<div style="display: grid; gap: 16px; align-content: start; min-width: 0">
<section aria-labelledby="gaps">
<h2 id="gaps">Gaps: seconds in which no new call was taken</h2>
{% if chart %}
<svg class="chart" viewBox="0 0 {{ chart.width }} {{ chart.height }}" role="img" aria-labelledby="gaps-title">
<title id="gaps-title">{{ chart.points|length }} switchovers; the table below has the figures</title>
{% for tick in chart.ticks %}
<line x1="{{ chart.left }}" x2="{{ chart.right }}" y1="{{ tick.y }}" y2="{{ tick.y }}" stroke="var(--line)"/>
<text x="{{ chart.left - 8 }}" y="{{ tick.y + 4 }}" text-anchor="end">{{ tick.label }}</text>
{% endfor %}
{% for day in chart.days %}
<text x="{{ day.x }}" y="{{ chart.bottom + 24 }}"
 text-anchor="{{ 'middle' if chart.days|length == 1 else 'start' if loop.first else 'end' if loop.last else 'middle' }}">{{ day.label }}</text>
{% endfor %}
{% for point in chart.points %}
{% if point.kind == 'failover' %}
<rect x="{{ point.x - 5 }}" y="{{ point.y - 5 }}" width="10" height="10" fill="var(--weak)"><title>{{ point.text }}</title></rect>
{% elif point.kind == 'done' %}
<circle cx="{{ point.x }}" cy="{{ point.y }}" r="5" fill="var(--accent)"><title>{{ point.text }}</title></circle>
{% else %}
<g stroke="var(--bad)" stroke-width="3"><title>{{ point.text }}</title>
<line x1="{{ point.x - 5 }}" x2="{{ point.x + 5 }}" y1="{{ point.y - 5 }}" y2="{{ point.y + 5 }}"/>
<line x1="{{ point.x - 5 }}" x2="{{ point.x + 5 }}" y1="{{ point.y + 5 }}" y2="{{ point.y - 5 }}"/></g>
{% endif %}
{% endfor %}
</svg>
<p class="hint">Dot: a switchover that succeeded. Cross: one that failed; at the top, its gap is not known. Square: a
failover that nobody ordered; its gap begins when the cluster noticed the failure.</p>
{% endif %}
{% if moves %}
<table class="moves">
<thead><tr><th scope="col">when (UTC)</th><th scope="col">what</th><th scope="col">gap</th><th scope="col">calls kept</th></tr></thead>
<tbody>
{% for move in moves %}
<tr><td>{{ move.at }}</td>
<td>{{ move.what }}{{ ', by ' ~ move.by if move.by }}{% if move.why %}: {{ move.why }}{% endif %}{% if move.failed %} <span class="down">failed: {{ move.failed }}</span>{% endif %}</td>
<td>{{ move.gap }}</td><td>{{ move.calls }}</td></tr>
{% endfor %}
</tbody>
</table>
{% else %}
<p class="soft">This node has recorded no switchover.</p>
{% endif %}
</section>

<section aria-labelledby="actions">
<h2 id="actions">Set by operators</h2>
{% for action in actions %}
<p><strong>{{ action.subject }}</strong>: {{ action.what }}{% if action.by %}, by {{ action.by }} since {{ action.since }}: {{ action.reason }}{% endif %}{% if action.until %}, until {{ action.until }}{% endif %}<br>
<code>{{ action.hint }}</code></p>
{% else %}
<p class="soft">Nothing is set.</p>
{% endfor %}
</section>
</div>

<section class="wide" aria-labelledby="changes">
<h2 id="changes">Last drifts and commits</h2>
{% for change in changes %}
<details{{ ' open' if loop.first }}>
<summary><span class="badge {{ 'fail' if change.kind == 'refused' else 'warn' if change.kind == 'drift' else 'pass' }}">{{ change.kind }}</span>
 {{ change.subject }}, {{ change.at|replace('T', ' ')|replace('Z', ' UTC') }}, sent by {{ change.node }}{{ ' (test run)' if change.test }}</summary>
{% if change.rows %}
<table>
<thead><tr><th scope="col">what</th><th scope="col">old</th><th scope="col">new</th></tr></thead>
<tbody>
{% for row in change.rows %}
<tr><td>{{ row.what }}</td><td>{{ row.old }}</td><td>{{ row.new }}</td></tr>
{% endfor %}
</tbody>
</table>
{% else %}
<p class="soft">No difference is recorded.</p>
{% endif %}
</details>
{% else %}
<p class="soft">This node has recorded nothing.</p>
{% endfor %}
</section>
</main>
</body>
</html>
"""
