import pytest
from hypothesis import given
from hypothesis import strategies as st

from fshalib.corosync import build, parser
from fshalib.corosync import conf as fc
from fshalib.corosync import diff as fcc
from fshalib.corosync import options as corosync_options
from fshalib.pillar import schema_corosync

NODES = (
    build.RingNode("freeswitch-dev", 1, ("10.101.20.110", "10.101.21.110")),
    build.RingNode("ubuntu-v20z", 2, ("10.101.20.220", "10.101.21.220")),
)
ONE_LINK = tuple(build.RingNode(n.name, n.id, n.addresses[:1]) for n in NODES)

words = st.from_regex(r"[a-z_][a-z0-9_]{0,11}", fullmatch=True)
values = st.text(
    st.characters(blacklist_categories=("Cs", "Cc"), blacklist_characters="{"), max_size=30
).filter(lambda text: text == text.strip(" \t\r"))
options = st.builds(parser.Option, words, values)
entries = st.recursive(
    options,
    lambda inner: st.builds(parser.Section, words, st.lists(inner, max_size=4).map(tuple)),
    max_leaves=20,
)
confs = st.builds(parser.Conf, st.lists(entries, max_size=6).map(tuple))


@st.composite
def clusters(draw):
    count = draw(st.integers(1, 4))
    links = draw(st.integers(1, 8))
    names = draw(st.lists(words, min_size=count, max_size=count, unique=True))
    ids = draw(st.lists(st.integers(1, 65535), min_size=count, max_size=count, unique=True))
    return tuple(
        build.RingNode(name, number, tuple(f"10.{link}.0.{position}" for link in range(links)))
        for position, (name, number) in enumerate(zip(names, ids, strict=True), start=1)
    )


class TestText:
    @given(confs)
    def test_what_is_written_is_read_back(self, conf):
        assert parser.parse(parser.render(conf)) == conf

    def test_comments_blank_lines_tabs_and_crlf_do_not_matter(self):
        text = "# top\r\n\r\ntotem {\r\n\t# inside\r\n\ttoken:\t 3000 \r\n}\r\n"
        assert parser.parse(text) == parser.Conf(
            (parser.Section("totem", (parser.Option("token", "3000"),)),)
        )

    def test_a_value_may_contain_a_colon_and_a_closing_brace(self):
        conf = parser.Conf((parser.Section("a", (parser.Option("addr", "2001:db8::1 }"),)),))
        assert parser.parse(parser.render(conf)) == conf

    @pytest.mark.parametrize(
        ("text", "line", "word"),
        [
            ("totem {\n", 1, "not closed"),
            ("a: b\n}\n", 2, "no section"),
            ("totem {\n nonsense\n}", 2, "neither"),
            ("{\n}", 1, "name is missing"),
            ("totem { token: 1 }", 1, "after the opening"),
            (": 1", 1, "key is missing"),
        ],
    )
    def test_what_corosync_refuses_is_refused_with_its_line(self, text, line, word):
        with pytest.raises(parser.ParseError, match=word) as caught:
            parser.parse(text)
        assert caught.value.line == line

    @pytest.mark.parametrize("value", ["a\nb", "a{b", " a", "a ", "x" * 600, "a\rb"])
    def test_a_value_that_would_be_read_differently_is_not_written(self, value):
        conf = parser.Conf((parser.Section("totem", (parser.Option("cluster_name", value),)),))
        with pytest.raises(parser.UnwritableError, match=r"totem\.cluster_name"):
            parser.render(conf)


class TestWanted:
    @given(clusters())
    def test_no_node_and_no_link_is_lost(self, nodes):
        conf = parser.parse(parser.render(build.from_settings("voice", nodes)))
        assert fc.nodes_of(conf) == nodes
        flat = fc.flatten(conf)
        for node in nodes:
            for link, address in enumerate(node.addresses):
                assert flat[f"nodelist.node[{node.name}].ring{link}_addr"] == address

    @given(clusters())
    def test_two_node_is_set_for_exactly_two_nodes(self, nodes):
        flat = fc.flatten(build.from_settings("voice", nodes))
        assert flat.get("quorum.two_node") == ("1" if len(nodes) == 2 else None)

    @pytest.mark.parametrize(
        ("crypto", "cipher", "digest"),
        [
            (None, "aes256", "sha256"),
            ({}, "aes256", "sha256"),
            ({"cipher": "aes128"}, "aes128", "sha256"),
            ({"hash": "sha512"}, "aes256", "sha512"),
            ({"cipher": "none"}, "none", "sha256"),
            ({"cipher": "none", "hash": "none"}, "none", "none"),
        ],
    )
    def test_knet_is_encrypted_unless_told_otherwise(self, crypto, cipher, digest):
        flat = fc.flatten(build.from_settings("voice", NODES, crypto=crypto))
        assert (flat["totem.crypto_cipher"], flat["totem.crypto_hash"]) == (cipher, digest)

    def test_no_compression_is_not_said_since_corosync_would_refuse_the_word(self):
        wanted = {"knet_compression_model": "none", "token": 1500}
        flat = fc.flatten(build.from_settings("voice", NODES, totem=wanted))
        assert "totem.knet_compression_model" not in flat
        assert flat["totem.token"] == "1500"

    @pytest.mark.parametrize("transport", ["udpu", "udp"])
    def test_udp_transports_are_not_encrypted_and_cannot_be(self, transport):
        flat = fc.flatten(build.from_settings("voice", ONE_LINK, transport=transport))
        assert (flat["totem.crypto_cipher"], flat["totem.crypto_hash"]) == ("none", "none")
        with pytest.raises(build.SettingsError, match="cannot encrypt"):
            build.from_settings("voice", ONE_LINK, transport=transport, crypto={"hash": "sha1"})

    def test_multicast_as_in_the_article(self):
        links = [{"mcastaddr": "226.94.1.1", "mcastport": 5405}]
        conf = build.from_settings("voice", ONE_LINK, transport="udp", links=links)
        flat = fc.flatten(conf)
        assert flat["totem.interface[0].mcastaddr"] == "226.94.1.1"
        assert flat["totem.interface[0].mcastport"] == "5405"
        # corosync takes the address from the nodelist and warns about a bindnetaddr beside it.
        assert not [path for path in flat if "bindnetaddr" in path]

    def test_ipv6_is_said_where_all_is_ipv6(self):
        nodes = (build.RingNode("a", 1, ("2001:db8::1",)), build.RingNode("b", 2, ("2001:db8::2",)))
        assert fc.flatten(build.from_settings("v", nodes))["totem.ip_version"] == "ipv6"
        assert "totem.ip_version" not in fc.flatten(build.from_settings("v", NODES))

    @pytest.mark.parametrize("false", [False, "false", "no", "off"])
    @pytest.mark.parametrize("true", [True, "true", "yes", "on"])
    def test_booleans_become_what_each_key_wants(self, true, false):
        conf = build.from_settings(
            "voice",
            NODES,
            totem={"block_unlisted_ips": false},
            quorum={"wait_for_all": false, "auto_tie_breaker": true},
            logging={"debug": true, "fileline": false, "to_syslog": false},
        )
        flat = fc.flatten(conf)
        assert flat["totem.block_unlisted_ips"] == "no"
        assert (flat["quorum.wait_for_all"], flat["quorum.auto_tie_breaker"]) == ("0", "1")
        assert (flat["logging.debug"], flat["logging.fileline"]) == ("on", "off")
        assert flat["logging.to_syslog"] == "no"

    def test_words_that_are_no_booleans_stay(self):
        logging = {"debug": "trace", "timestamp": "hires", "logger_subsys": [{"subsys": "on"}]}
        flat = fc.flatten(build.from_settings("voice", NODES, logging=logging))
        assert (flat["logging.debug"], flat["logging.timestamp"]) == ("trace", "hires")

    def test_every_option_that_pillar_may_have_can_be_written(self):
        for key in schema_corosync.TOTEM.fields:
            build.from_settings("voice", NODES, totem={key: "1"})
        known = set().union(*corosync_options.LINK_KEYS.values())
        assert set(schema_corosync.LINK.fields) == known

    def test_a_quorum_device_takes_the_place_of_two_node(self):
        device = {"device": {"model": "net", "net": {"host": "10.0.0.9"}}}
        flat = fc.flatten(build.from_settings("voice", NODES, quorum=device))
        assert "quorum.two_node" not in flat
        assert flat["quorum.device.net.host"] == "10.0.0.9"

    @pytest.mark.parametrize(
        ("change", "path", "word"),
        [
            ({"totem": {"tokn": 1}}, "corosync:totem:tokn", '"token"'),
            ({"totem": {"key": "secret"}}, "corosync:totem:key", "not known"),
            ({"transport": "knett"}, "corosync:transport", '"knet"'),
            ({"crypto": {"hash": "none"}}, "corosync:crypto:hash", "needs a hash"),
            ({"crypto": {"cipher": "des"}}, "corosync:crypto:cipher", "not known"),
            ({"links": [{"ttl": 2}]}, "corosync:links:0:ttl", "not known"),
            ({"links": [{}, {}, {}]}, "corosync:links", "3 links"),
            ({"transport": "udpu"}, "corosync:transport", "1 link"),
            ({"totem": {"token": None}}, "totem:token", "a value"),
            ({"nodes": ()}, "nodes", "at least one"),
            ({"cluster_name": ""}, "cluster:name", "a name"),
            ({"nodes": (NODES[0], ONE_LINK[1])}, "nodes:ubuntu-v20z:addresses", "2 addresses"),
            ({"nodes": (NODES[0], NODES[0])}, "nodes", "used twice"),
            ({"nodes": (build.RingNode("a", 70000, ("10.0.0.1",)),)}, "nodes:a:id", "65535"),
            (
                {
                    "nodes": (*NODES, build.RingNode("c", 3, ("10.0.0.1", "10.0.0.2"))),
                    "quorum": {"two_node": 1},
                },
                "corosync:quorum:two_node",
                "there are 3",
            ),
            (
                {
                    "nodes": (
                        build.RingNode("a", 1, ("10.0.0.1",)),
                        build.RingNode("b", 2, ("::1",)),
                    )
                },
                "nodes",
                "mixes",
            ),
        ],
    )
    def test_what_corosync_would_refuse_is_refused_with_its_key(self, change, path, word):
        with pytest.raises(build.SettingsError, match=word) as caught:
            build.from_settings(**{"cluster_name": "voice", "nodes": NODES, **change})
        assert caught.value.path == path

    def test_nodes_come_from_pillar_in_order(self, nodes):
        assert build.nodes_from(nodes) == NODES

    @pytest.mark.parametrize(
        "facts",
        [
            {"addresses": []},
            {"addresses": ["10.0.0"]},
            {"id": "x", "addresses": ["::1"]},
            {"id": "²", "addresses": ["::1"]},
        ],
    )
    def test_a_node_that_makes_no_sense_is_named(self, facts):
        with pytest.raises(build.SettingsError, match="nodes:fs1"):
            build.nodes_from({"fs1": facts})


class TestDifference:
    @given(confs)
    def test_nothing_differs_from_itself(self, conf):
        assert fcc.difference(conf, conf) == ()

    @given(confs, confs)
    def test_the_changes_lead_from_one_to_the_other(self, old, new):
        flat = fc.flatten(old)
        for change in fcc.difference(old, new):
            if change.path == "totem.key":
                continue
            assert flat.get(change.path) == change.old
            if change.new is None:
                del flat[change.path]
            else:
                flat[change.path] = change.new
        flat.pop("totem.key", None)
        wanted = fc.flatten(new)
        wanted.pop("totem.key", None)
        assert flat == wanted

    @given(clusters())
    def test_order_of_nodes_does_not_count(self, nodes):
        one = build.from_settings("voice", nodes)
        other = build.from_settings("voice", nodes[::-1])
        assert fcc.difference(one, other) == ()

    def test_paths_name_the_node_and_the_link(self):
        other = (NODES[0], build.RingNode("ubuntu-v20z", 2, ("10.101.20.220", "10.101.21.221")))
        changes = fcc.difference(build.from_settings("v", NODES), build.from_settings("v", other))
        assert changes == (
            fc.ConfChange(
                "nodelist.node[ubuntu-v20z].ring1_addr", "10.101.21.220", "10.101.21.221"
            ),
        )

    def test_two_sections_of_one_name_are_both_seen(self):
        text = "nodelist {\nnode {\nname: a\nnodeid: 1\n}\nnode {\nname: a\nnodeid: 2\n}\n}\n"
        flat = fc.flatten(parser.parse(text))
        assert flat["nodelist.node[a].nodeid"] == "1"
        assert flat["nodelist.node[a#2].nodeid"] == "2"

    def test_a_key_in_the_file_is_never_shown(self):
        conf = parser.parse("totem {\nkey: S3CRET\n}\n")
        changes = fcc.difference(None, conf)
        assert "S3CRET" not in repr((changes, fc.as_data(conf), fc.as_changes(changes)))
        assert changes


def _class(change_old, change_new):
    return fcc.change_class(fcc.difference(change_old, change_new))


class TestClass:
    @pytest.mark.parametrize(
        ("settings", "kind"),
        [
            ({"totem": {"token": 1000}}, fcc.RELOAD),
            ({"totem": {"knet_mtu": 1400}}, fcc.RELOAD),
            ({"links": [{"link_priority": 5}]}, fcc.RELOAD),
            ({"logging": {"debug": True}}, fcc.RELOAD),
            ({"links": [{"mcastport": 5500}]}, fcc.RESTART),
            ({"links": [{"knet_transport": "sctp"}]}, fcc.RESTART),
            ({"totem": {"link_mode": "active"}}, fcc.RESTART),
            ({"totem": {"netmtu": 1400}}, fcc.RESTART),
            ({"crypto": {"cipher": "aes128", "hash": "sha1"}}, fcc.RESTART),
            ({"cluster_name": "other"}, fcc.RESTART),
            ({"quorum": {"wait_for_all": False}}, fcc.RESTART),
            (
                {"nodes": (*NODES, build.RingNode("c", 3, ("10.101.20.3", "10.101.21.3")))},
                fcc.RELOAD,
            ),
            ({"nodes": ONE_LINK}, fcc.RELOAD),
            (
                {
                    "nodes": (
                        NODES[0],
                        build.RingNode("ubuntu-v20z", 2, ("10.101.20.9", "10.101.21.220")),
                    )
                },
                fcc.RESTART,
            ),
            ({"nodes": (NODES[0], build.RingNode("renamed", 2, NODES[1].addresses))}, fcc.RESTART),
            ({}, fcc.NONE),
        ],
    )
    def test_each_key_has_its_class(self, settings, kind):
        old = build.from_settings("voice", NODES)
        new = build.from_settings(**{"cluster_name": "voice", "nodes": NODES, **settings})
        assert _class(old, new) == kind

    def test_one_key_that_needs_a_restart_decides(self):
        old = build.from_settings("voice", NODES)
        new = build.from_settings("voice", NODES, totem={"token": 1, "netmtu": 1400})
        assert _class(old, new) == fcc.RESTART
        assert fcc.restart_paths(fcc.difference(old, new)) == ("totem.netmtu",)

    def test_a_quorum_device_comes_by_a_reload_and_never_goes_by_one(self):
        device = {"device": {"model": "net", "votes": 1, "net": {"host": "q1"}}}
        without = build.from_settings("voice", NODES, quorum={"two_node": False})
        with_one = build.from_settings("voice", NODES, quorum={"two_node": False, **device})
        assert _class(without, with_one) == fcc.RELOAD
        assert _class(with_one, without) == fcc.RESTART
        other = {"device": {"model": "net", "votes": 1, "net": {"host": "q2"}}}
        changed = build.from_settings("voice", NODES, quorum={"two_node": False, **other})
        assert _class(with_one, changed) == fcc.RELOAD

    def test_an_unknown_key_needs_a_restart(self):
        assert _class(parser.Conf(), parser.parse("nozzle {\nname: x\n}\n")) == fcc.RESTART


class TestPackagedDefault:
    DEBIAN = (
        "totem {\nversion: 2\ncluster_name: debian\n}\n"
        "nodelist {\nnode {\nname: node1\nnodeid: 1\nring0_addr: 127.0.0.1\n}\n}\n"
    )

    def test_debians_example_is_recognised(self):
        assert fc.is_packaged_default(parser.parse(self.DEBIAN))

    def test_a_pair_and_a_real_single_node_are_not(self):
        assert not fc.is_packaged_default(build.from_settings("voice", NODES))
        assert not fc.is_packaged_default(build.from_settings("voice", NODES[:1]))
        assert not fc.is_packaged_default(parser.Conf())


class TestJudge:
    def test_only_the_log_targets_and_the_key_differ(self):
        conf = build.from_settings(
            "voice", NODES, logging={"logger_subsys": [{"subsys": "CPG", "to_syslog": True}]}
        )
        before, after = fc.flatten(conf), fc.flatten(fc.for_judge(conf, "/x/key"))
        assert {path: text for path, text in after.items() if before.get(path) != text} == {
            "logging.to_stderr": "yes",
            "logging.to_syslog": "no",
            "logging.to_logfile": "no",
            "totem.keyfile": "/x/key",
        }
        assert before.keys() - after.keys() == {"logging.logger_subsys[CPG].to_syslog"}

    @pytest.mark.parametrize(
        ("said", "sentence"),
        [
            (
                "Nov 23 21:04:29.879 error   [MAIN  ] parse error in config: The token timeout "
                "parameter (10 ms) may not be less than (30 ms).\n"
                "Nov 23 21:04:29.879 error   [MAIN  ] Corosync Cluster Engine exiting with "
                "status 8 at main.c:1445.\n",
                "parse error in config: The token timeout parameter (10 ms) may not be less "
                "than (30 ms).",
            ),
            (
                'parser error: /tmp/x/corosync.conf:7: Value of key "totem.token" is expected\n',
                'parser error: corosync.conf:7: Value of key "totem.token" is expected',
            ),
            ("", ""),
        ],
    )
    def test_its_reason_is_told_without_its_decoration(self, said, sentence):
        assert fc.judges_sentence(said, "/tmp/x/corosync.conf") == sentence
