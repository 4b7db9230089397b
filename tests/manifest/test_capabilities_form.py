"""Capabilities: every form that people write becomes one, and nothing unknown passes as a smaller wish."""

from __future__ import annotations

from typing import Any

import pytest

from pluginkit.errors import Problem
from pluginkit.manifest import (
    Argument,
    Capabilities,
    EgressRule,
    ExecRule,
    FilesystemGrant,
    IngressRule,
    InvalidManifest,
    PortRange,
    as_dict,
    parse_manifest,
)
from pluginkit.strict_yaml import Document, load

PLUGIN = "plugin: {name: c, type: execute, format: native, entrypoint: c, language: python, version: 1.0.0}\n"


def capabilities(text: str) -> Capabilities:
    return parse_manifest(load(f"{PLUGIN}capabilities:\n  {text}")).capabilities


def problems_of(text: str) -> dict[str, Problem]:
    with pytest.raises(InvalidManifest) as caught:
        capabilities(text)
    return {problem.path.removeprefix("capabilities."): problem for problem in caught.value.problems}


def message_of(text: str) -> str:
    (problem,) = problems_of(text).values()
    return problem.message


@pytest.mark.parametrize(
    "text",
    [
        "process: {exec: [{command: /bin/ls}, {command: /bin/cat}], kill: [children], list: [children]}",
        "process: [{exec: [{command: /bin/ls}, {command: /bin/cat}]}, {kill: [children]}, {list: [children]}]",
        "process: [{exec: {command: /bin/ls}}, {kill: [children]}, {exec: {command: /bin/cat}}, {list: [children]}]",
        "process: [{kill: []}, {list: [children, children]}, {exec: [{command: /bin/ls}]}, {exec: {command: /bin/cat}}, {kill: [children]}]",
    ],
)  # fmt: skip
def test_cp06_all_forms_of_process_are_read_into_one(text: str) -> None:
    assert capabilities(text) == Capabilities(
        exec=(ExecRule("/bin/ls"), ExecRule("/bin/cat")),
        kill=frozenset({"children"}),
        list=frozenset({"children"}),
    )


def test_cp06_one_command_may_stand_without_a_list() -> None:
    assert capabilities("process: {exec: {command: /bin/ls}}").exec == (ExecRule("/bin/ls"),)


def test_cp06_a_list_of_wishes_has_one_key_each() -> None:
    problems = problems_of("process: [{kill: [children], list: [all]}, {}, [kill], {kil: [children]}]")
    assert {path: problem.message.partition(",")[0] for path, problem in problems.items()} == {
        "process[0]": "must be a mapping with one key",
        "process[0].list[0]": "must be 'children'",
        "process[1]": "must be a mapping with one key",
        "process[2]": "must be a mapping",
        "process[3].kil": "is not a known key; did you mean 'kill'?",
    }


@pytest.mark.parametrize(
    ("written", "kind", "value"),
    [
        ("pull", "literal", "pull"),
        ("--ff-only", "literal", "--ff-only"),
        ("", "literal", ""),
        ("*", "one", ""),
        ("**", "rest", ""),
        ("lit:*", "literal", "*"),
        ("lit:--x=*", "literal", "--x=*"),
        ("lit:path:read", "literal", "path:read"),
        ("lit:lit:x", "literal", "lit:x"),
        ("lit:", "literal", ""),
        ("path:read", "path", "read"),
        ("path:write", "path", "write"),
    ],
)
def test_cp06_arguments_are_positional_patterns(written: str, kind: Any, value: str) -> None:
    manifest = parse_manifest(
        load(f"{PLUGIN}capabilities: {{process: {{exec: {{command: /bin/a, args: ['{written}']}}}}}}")
    )
    assert manifest.capabilities.exec == (ExecRule("/bin/a", (Argument(kind, value),)),)
    plain = as_dict(manifest)["capabilities"]["process"]["exec"][0]["args"][0]
    assert capabilities(f"process: {{exec: {{command: /bin/a, args: ['{plain}']}}}}") == manifest.capabilities


def test_cp06_stars_inside_an_argument_are_refused_not_guessed() -> None:
    problems = problems_of("process: {exec: {command: /bin/a, args: ['--x=*', 'path:reed', 3, '**', x]}}")
    assert {path[-2]: problem.message for path, problem in problems.items()} == {
        "0": "has a star inside, which is no pattern: * alone is one free argument, lit:… is literal",
        "1": "must be path:read or path:write; did you mean 'read'?",
        "2": "must be text, but without quotes this is a number",
        "3": "may only stand at the end: it takes all that follow",
    }


@pytest.mark.parametrize(
    ("command", "message"),
    [
        ("git", "must be the absolute path of a program"),
        ("/usr/bin/", "must be the absolute path of a program"),
        ("/usr/bin/*", "must name one program"),
        ("$HOME/x", "must be the absolute path of a program"),
        ("/bin/$x", "must name one program"),
        ("/bin/../sbin/x", "must be written without '.', '..' and '//'"),
        ("/bin//x", "must be written without '.', '..' and '//'"),
        ('"/bin/x\\n"', "must be on one line"),
        ("''", "must not be empty"),
    ],
)
def test_cp06_a_command_is_one_absolute_path(command: str, message: str) -> None:
    assert message_of(f"process: {{exec: {{command: {command}}}}}").startswith(message)


def test_cp07_scopes_are_children_only() -> None:
    assert capabilities("process: {signal: [children]}").signal == frozenset({"children"})
    assert message_of("process: {signal: [all]}") == "must be 'children'"
    assert message_of("process: {kill: [chidren]}") == "must be 'children'; did you mean 'children'?"


def test_cp08_nothing_asked_for_is_nothing_granted() -> None:
    assert parse_manifest(load(PLUGIN)).capabilities == capabilities("{}") == Capabilities()
    assert (
        capabilities("{filesystem: [], network: {egress: [], ingress: []}, process: {}, env: []}")
        == Capabilities()
    )


def test_cp08_unknown_words_are_errors_with_the_nearest_known_one() -> None:
    problems = problems_of(
        "{filesytem: [], filesystem: [{path: /a, permissions: [red, 3], recursiv: true}], network: {egres: [], "
        "egress: [{protocol: tpc, hosts: [a], ports: [1]}]}, proces: {}}"
    )
    assert {path: problem.message for path, problem in problems.items()} == {
        "filesytem": "is not a known key; did you mean 'filesystem'?",
        "filesystem[0].permissions[0]": "must be one of read, write, list, create, delete; did you mean 'read'?",
        "filesystem[0].permissions[1]": "must be one of read, write, list, create, delete",
        "filesystem[0].recursiv": "is not a known key; did you mean 'recursive'?",
        "network.egres": "is not a known key; did you mean 'egress'?",
        "network.egress[0].protocol": "must be one of tcp, udp; did you mean 'tcp'?",
        "proces": "is not a known key; did you mean 'process'?",
    }


def test_cp01_a_filesystem_grant_is_read_with_the_smaller_right_as_default() -> None:
    assert capabilities("filesystem: [{path: /data/, permissions: [read, read]}]").filesystem == (
        FilesystemGrant("/data/", frozenset({"read"}), recursive=False, symlinks="beneath"),
    )
    (grant,) = capabilities(
        "filesystem: [{path: '${cache}', permissions: [list], recursive: true, symlinks: none}]"
    ).filesystem
    assert (grant.path, grant.recursive, grant.symlinks, grant.is_directory) == (
        "${cache}",
        True,
        "none",
        True,
    )
    (file,) = capabilities("filesystem: [{path: '${config}/a.ini', permissions: [read]}]").filesystem
    assert not file.is_directory
    problems = problems_of("filesystem: [{recursive: 1, symlinks: all}, {path: /a, permissions: []}, 3]")
    assert sorted(problems) == [
        "filesystem[0].path",
        "filesystem[0].permissions",
        "filesystem[0].recursive",
        "filesystem[0].symlinks",
        "filesystem[1].permissions",
        "filesystem[2]",
    ]
    assert problems["filesystem[0].permissions"].message == "is required, and missing here"
    assert problems["filesystem[1].permissions"].message == "must not be empty"


@pytest.mark.parametrize(
    "path", ["/", "/a", "/a/", "/a b/ü", "${data}", "${data}/", "${plugin}/x/y", "${config}/a.b"]
)
def test_cp03_absolute_paths_and_the_plugins_own_are_accepted(path: str) -> None:
    (grant,) = capabilities(f"filesystem: [{{path: '{path}', permissions: [read]}}]").filesystem
    assert grant.path == path


@pytest.mark.parametrize(
    ("path", "message"),
    [
        ("relative", "must be absolute"),
        ("./x", "must be absolute"),
        ("~/x", "must be absolute"),
        ("C:/x", "must be absolute"),
        ("${data}x", "must be absolute"),
        ("${dat}/x", "knows no ${dat}; did you mean 'data'?"),
        ("${HOME}/x", "knows no ${HOME}"),
        ("/x/${data}", "must not contain '$'"),
        ("/x/$HOME", "must not contain '$'"),
        ("/x/*", "must not contain *, ?, [ or ]"),
        ("/x/[ab]", "must not contain *, ?, [ or ]"),
        ("/x/../etc", "must be written without '.', '..' and '//'"),
        ("${data}/..", "must be written without '.', '..' and '//'"),
        ("/x/./y", "must be written without '.', '..' and '//'"),
        ("//x", "must be written without '.', '..' and '//'"),
        ("/x\\x1b[2J", "must not contain control characters"),
        ("/x\\u202e", "must not contain control characters"),
        ("/x\\n", "must be on one line"),
        ("", "must not be empty"),
    ],
)
def test_cp03_paths_that_hide_where_they_lead_are_refused(path: str, message: str) -> None:
    assert message_of(f'filesystem: [{{path: "{path}", permissions: [read]}}]').startswith(message)


@pytest.mark.parametrize(
    ("host", "normal"),
    [
        ("api.example.com", "api.example.com"),
        ("API.Example.COM.", "api.example.com"),
        ("localhost", "localhost"),
        ("*.example.com", "*.example.com"),
        ("**.example.com", "**.example.com"),
        ("xn--kse-qla.de", "xn--kse-qla.de"),
        ("_dmarc.example.com", "_dmarc.example.com"),
        ("192.168.1.100", "192.168.1.100"),
        ("::1", "::1"),
        ("2001:DB8:0::1", "2001:db8::1"),
        ("10.0.0.0/8", "10.0.0.0/8"),
        ("2001:db8::/32", "2001:db8::/32"),
        ("*", "*"),
    ],
)
def test_cp04_hosts_are_read_into_one_form(host: str, normal: str) -> None:
    rules = capabilities(f"network: {{egress: [{{protocol: tcp, hosts: ['{host}'], ports: [443]}}]}}").egress
    assert rules == (EgressRule("tcp", (normal,), (PortRange(443, 443),)),)


@pytest.mark.parametrize(
    ("host", "message"),
    [
        ("https://example.com", "must be a host, not a web address"),
        ("example.com:443", "is not an IP address in its full form; ports have a key of their own"),
        ("example.com/x", "is not a network in CIDR notation"),
        ("10.0.0.5/8", "has bits set beyond its prefix; the network is 10.0.0.0/8"),
        ("127.1", "is not an IP address in its full form"),
        ("0x7f.1", "is not an IP address in its full form"),
        ("2130706433", "is not an IP address in its full form"),
        ("0x7f000001", "is not an IP address in its full form"),
        ("127.0.0.01", "is not an IP address in its full form"),
        ("1.2.3.4.", "is not an IP address in its full form"),
        ("*.1", "is not an IP address in its full form"),
        ("\\uff11\\uff12\\uff17.0.0.1", "must be in ASCII"),
        ("fe80::1%eth0", "is not an IP address in its full form"),
        ("k\\u00e4se.de", "must be in ASCII, as in 'xn--kse-qla.de'"),
        ("\\u00fc" * 70 + ".com", "must be in ASCII"),
        ("a.*.com", "must be a host name, an IP address or a network as in 10.0.0.0/8; a star stands alone"),
        ("*.*.com", "must be a host name, an IP address or a network as in 10.0.0.0/8; a star stands alone"),
        (
            "*example.com",
            "must be a host name, an IP address or a network as in 10.0.0.0/8; a star stands alone",
        ),
        ("-a.com", "must be a host name"),
        ("a..com", "must be a host name"),
        ("a b", "must be a host name"),
        ("a\\n", "must be a host name"),
        ("", "must be a host name"),
        ("a" * 64 + ".com", "must be a host name"),
        ("a." * 130, "must not be longer than 255 characters"),
    ],
)
def test_cp04_hosts_that_a_resolver_would_reinterpret_are_refused(host: str, message: str) -> None:
    found = message_of(f'network: {{egress: [{{protocol: tcp, hosts: ["{host}"], ports: [443]}}]}}')
    assert found.startswith(message)


def test_cp04_all_three_parts_of_an_egress_rule_are_needed() -> None:
    assert {path: problem.message for path, problem in problems_of("network: {egress: [{}]}").items()} == {
        "network.egress[0].protocol": "is required, and missing here",
        "network.egress[0].hosts": "is required, and missing here",
        "network.egress[0].ports": "is required, and missing here",
    }
    assert message_of("network: {egress: [{protocol: tcp, hosts: [], ports: [1]}]}") == "must not be empty"


@pytest.mark.parametrize(
    ("port", "wanted"),
    [("1", (1, 1)), ("65535", (65535, 65535)), ("443.0", (443, 443)), ("'8000-8099'", (8000, 8099)), ("8-8", (8, 8)), ("'*'", (1, 65535))],
)  # fmt: skip
def test_cp04_ports_are_numbers_ranges_or_all(port: str, wanted: tuple[int, int]) -> None:
    (rule,) = capabilities(f"network: {{egress: [{{protocol: udp, hosts: [a], ports: [{port}]}}]}}").egress
    (ports,) = rule.ports
    assert (ports.first, ports.last) == wanted
    assert wanted[0] in ports
    assert wanted[1] + 1 not in ports
    assert str(ports) == port.strip("'").removesuffix(".0").replace("8-8", "8")


@pytest.mark.parametrize(
    "port", ["0", "65536", "-1", "true", "1.5", "'443'", "2-1", "'1-70000'", "'0-5'", "'1 - 2'", "http", "[]"]
)
def test_cp04_other_ports_are_refused(port: str) -> None:
    problems = problems_of(f"network: {{egress: [{{protocol: udp, hosts: [a], ports: [{port}]}}]}}")
    assert list(problems) == ["network.egress[0].ports[0]"]


def test_cp05_ingress_without_origins_is_for_nobody_and_binds_locally() -> None:
    assert capabilities("network: {ingress: [{protocol: tcp, ports: [9000]}]}").ingress == (
        IngressRule("tcp", (PortRange(9000, 9000),), bind=("127.0.0.1",), allowed_origins=()),
    )
    (rule,) = capabilities(
        "network: {ingress: [{protocol: tcp, ports: [9000], bind: ['::1'], allowed_origins: [10.0.0.0/8, Host.org]}]}"
    ).ingress
    assert (rule.bind, rule.allowed_origins) == (("::1",), ("10.0.0.0/8", "host.org"))


def test_cp05_origins_and_addresses_are_checked() -> None:
    text = "network: {ingress: [{protocol: tcp, ports: [1], bind: [localhost], allowed_origins: ['*', '*.a.org', 127.1]}]}"
    assert {path: problem.message.partition(",")[0] for path, problem in problems_of(text).items()} == {
        "network.ingress[0].bind[0]": "is not an IP address in its full form",
        "network.ingress[0].allowed_origins[0]": "must be an IP address",
        "network.ingress[0].allowed_origins[1]": "must be an IP address",
        "network.ingress[0].allowed_origins[2]": "must be text",
    }


def test_cp08_environment_variables_are_named_one_by_one() -> None:
    assert capabilities("env: [LANG, _x1]").env == ("LANG", "_x1")
    assert list(problems_of("env: ['A=b', '1A', '*', 'A B', LANG]")) == [
        "env[0]",
        "env[1]",
        "env[2]",
        "env[3]",
    ]


def test_cp06_an_argument_cannot_hold_what_no_process_can_be_given() -> None:
    data = load(PLUGIN).data | {
        "capabilities": {"process": {"exec": {"command": "/bin/a", "args": ["a\0b"]}}}
    }
    with pytest.raises(InvalidManifest, match="must not contain NUL"):
        parse_manifest(Document(data, {}))
