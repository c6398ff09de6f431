"""Templates, compared with what the real docker command line prints for the same document."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pyctr.cli.output.documents import filled_in
from pyctr.cli.output.listing import parse
from pyctr.cli.template import StringMap, TemplateError, compile_template
from pyctr.errors import PyctrError

DOCUMENT: dict[str, Any] = {
    "Id": "f1d2d2f924e986ac86fdf7b36c94bcdf32beec15a3c1f6b3a2c4e5d6f7a8b9c0",
    "Created": "2024-05-06T07:08:09.123456789Z",
    "Path": "sh",
    "Args": ["-c", "echo hi"],
    "State": {
        "Status": "running",
        "Running": True,
        "Paused": False,
        "Restarting": False,
        "OOMKilled": False,
        "Dead": False,
        "Pid": 4242,
        "ExitCode": 0,
        "Error": "",
        "StartedAt": "2024-05-06T07:08:10Z",
        "FinishedAt": "0001-01-01T00:00:00Z",
    },
    "Image": "sha256:abc",
    "ResolvConfPath": "",
    "HostnamePath": "",
    "HostsPath": "",
    "LogPath": "",
    "Name": "/web",
    "RestartCount": 0,
    "Driver": "overlay2",
    "Platform": "linux",
    "MountLabel": "",
    "ProcessLabel": "",
    "AppArmorProfile": "",
    "ExecIDs": None,
    "HostConfig": {
        "Binds": None,
        "Memory": 104857600,
        "NanoCpus": 500000000,
        "PidsLimit": None,
        "OomKillDisable": None,
        "MemorySwappiness": None,
        "LogConfig": {"Type": "json-file", "Config": {"max-size": "1m"}},
        "NetworkMode": "none",
        "PortBindings": {},
        "RestartPolicy": {"Name": "no", "MaximumRetryCount": 0},
        "Dns": [],
        "CapAdd": ["CAP_NET_ADMIN"],
        "Ulimits": [{"Name": "nofile", "Hard": 2, "Soft": 1}],
        "Devices": [],
        "Privileged": False,
        "CpuShares": 0,
        "ShmSize": 67108864,
        "MaskedPaths": ["/proc/kcore"],
        "Init": True,
    },
    "GraphDriver": {"Name": "overlay2", "Data": {"UpperDir": "/u", "WorkDir": "/w"}},
    "Mounts": [
        {
            "Type": "bind",
            "Source": "/a",
            "Destination": "/b",
            "Mode": "",
            "RW": True,
            "Propagation": "rprivate",
        },
        {
            "Type": "volume",
            "Name": "v",
            "Source": "/s",
            "Destination": "/d",
            "Driver": "local",
            "Mode": "z",
            "RW": False,
            "Propagation": "",
        },
    ],
    "Config": {
        "Hostname": "h",
        "Domainname": "",
        "User": "",
        "AttachStdin": False,
        "AttachStdout": True,
        "AttachStderr": True,
        "Tty": False,
        "OpenStdin": False,
        "StdinOnce": False,
        "Env": ["PATH=/bin", "A=<b>&c"],
        "Cmd": ["sh", "-c", "echo hi"],
        "Image": "busybox",
        "Volumes": None,
        "WorkingDir": "/",
        "Entrypoint": None,
        "OnBuild": None,
        "Labels": {"com.example": "x y", "b": "2", "a": "1"},
    },
    "NetworkSettings": {
        "Bridge": "",
        "SandboxID": "",
        "Ports": {},
        "Networks": {
            "none": {"IPAMConfig": None, "NetworkID": "abc", "IPAddress": "", "Gateway": "", "MacAddress": ""}
        },
    },
}

TEMPLATES = r"""
{{.Id}}
{{.ID}}
{{.Name}} {{.State.Status}} {{.State.Pid}} {{.State.Running}}
{{.State.ExitCode}}|{{.State.Error}}|{{.State.StartedAt}}
{{.Config.Env}}
{{.Config.Cmd}} {{.Config.Entrypoint}} {{.HostConfig.Binds}} {{.Config.Volumes}}
{{.Config.Labels}}
{{.Config.Labels.a}} {{.Config.Labels.zz}}
{{index .Config.Labels "com.example"}}|{{index .Config.Labels "zz"}}|
{{json .Config.Labels}} {{json .Config.Env}} {{json .HostConfig.Binds}} {{json .Config.Volumes}}
{{json .State}}
{{json .Mounts}}
{{range .Mounts}}{{.Source}}:{{.Destination}}:{{.RW}} {{end}}
{{range $i, $m := .Mounts}}{{$i}}={{$m.Type}};{{end}}
{{range $k, $v := .Config.Labels}}{{$k}}={{$v}},{{end}}
{{range .Config.Env}}{{println .}}{{end}}
{{range .HostConfig.Binds}}x{{else}}none{{end}}
{{if .State.Running}}up{{else}}down{{end}}
{{if .State.Health}}h{{else}}no health{{end}}
{{.State.Health}}
{{.State.Health.Status}}
{{with .State.Health}}{{.Status}}{{else}}-{{end}}
{{.Foo}}
{{.State.Foo}}
{{.Config.Image | upper}}
{{.Config.Image | printf "%q %d"}}
{{printf "%s-%d-%v-%t" .Name .State.Pid .Config.Env .State.Running}}
{{printf "%08d|%-8s|%8s|%x|%X|%q|%5.1f|%+d" 42 "a" "b" 255 255 "q" 1.25 5}}
{{len .Mounts}} {{len .Config.Labels}} {{len .Name}} {{len .HostConfig.Binds}}
{{slice .Id 0 12}}
{{slice .Config.Cmd 1 2}}
{{index .Config.Cmd 0}} {{index .Config.Cmd 2}}
{{index .Config.Cmd 5}}
{{join .Config.Cmd "+"}}
{{split .Name "/"}}
{{title .Config.Image}} {{lower "ABC"}} {{upper "abc"}}
{{truncate .Id 5}}
{{pad .Config.Image 2 3}}|
{{.HostConfig.PidsLimit}} {{.HostConfig.OomKillDisable}} {{.HostConfig.Init}}
{{.HostConfig.MemorySwappiness}}
{{.HostConfig.LogConfig.Type}} {{.HostConfig.LogConfig.Config}}
{{index .HostConfig.LogConfig.Config "max-size"}}
{{.GraphDriver.Data}} {{.GraphDriver.Data.UpperDir}}
{{eq .State.Pid 4242}} {{ne .Name "/web"}} {{lt 1 2}} {{le 2 2}} {{gt 1 2}} {{ge 1 2}}
{{eq .Name "a" "b" "/web"}}
{{lt .Name "z"}} {{lt .State.Running true}}
{{and .State.Running .State.Pid}} {{or .State.Error "none"}} {{not .State.Running}}
{{and}}
{{$x := .Name}}{{$x}}{{$x = "q"}}{{$x}}
{{define "T"}}<{{.}}>{{end}}{{template "T" .Name}}
{{block "B" .Name}}[{{.}}]{{end}}
{{template "nope" .}}
{{- .Name -}}   x
  {{- .Name -}}  x
{{/* comment */}}x
{{/* comment */ -}}   x
{{range .Config.Cmd}}{{if eq . "-c"}}{{continue}}{{end}}{{.}}{{break}}{{end}}
{{html "<a&b>"}} {{js "it's <x>"}} {{urlquery "a b&c"}}
{{print 1 2 "a" "b" 3}} {{println 1 "x"}}
{{.Name
{{.Name}
{{foo}}
{{if}}
{{end}}
{{range .Mounts}}
{{else}}
{{.Name | foo}}
{{"unterminated}}
{{.Name "x"}}
{{$y}}
{{1 | 2}}
{{nil}}
{{5.X}}
{{"a".B}}
{{range .Name}}x{{end}}
{{range 3}}{{.}}{{end}}
{{len 3}}
{{index .Name 0}}
{{index 1 2}}
{{(index .Mounts 0).Source}}
{{(index .Mounts 5).Source}}
{{with $m := index .Mounts 1}}{{$m.Name}}{{end}}
{{if and (eq 1 1) (ne 2 3)}}yes{{end}}
{{if eq .Driver "x"}}a{{else if eq .Driver "overlay2"}}b{{else}}c{{end}}
{{with .Foo}}x{{end}}
{{with .State.Error}}x{{else with .Name}}{{.}}{{end}}
{{printf "%d" "x"}} {{printf "%s" 5}} {{printf "%d"}} {{printf "x" 1}}
{{printf "%v %v" nil 1}}
{{1}} {{1.5}} {{1e3}} {{0x10}} {{'a'}} {{true}} {{"s"}} {{`raw`}} {{1_000}}
{{1e100}}
{{.NetworkSettings.Networks.none.NetworkID}}
{{range $n, $c := .NetworkSettings.Networks}}{{$n}}:{{$c.NetworkID}}{{end}}
{{.Config.ExposedPorts}} {{.HostConfig.PortBindings}} {{json .HostConfig.PortBindings}}
{{json .Config.ExposedPorts}}
{{.HostConfig.Tmpfs}} {{.HostConfig.Sysctls}} {{.Config.StopSignal}} {{.Config.StopTimeout}}
{{.Args}} {{.Path}} {{.ExecIDs}} {{json .ExecIDs}}
{{(index .HostConfig.Ulimits 0).Soft}}
{{range .HostConfig.Ulimits}}{{.Name}}={{.Soft}}:{{.Hard}}{{end}}
{{.SizeRw}} {{.SizeRootFs}}
{{.Created}}
{{len (printf "%s" .Created)}}
{{eq .Created "x"}}
plain text
{{"\x41\u00e9\n\t\"q\\"}}
{{"a" | printf "%s %s" "b"}}
{{ .Name   |   printf   "%10s|" }}
{{range $i,$c := .Config.Cmd}}{{if $i}},{{end}}{{$c}}{{end}}
{{if not .State.Paused}}ok{{end}}
{{json "<&>"}} {{json 1.5}} {{json nil}} {{json true}}
{{json}}
{{json 1 2}}
{{.Id | len}} {{.Id | slice 0 2}}
{{slice .Id 5 2}}
{{slice .Id 100}}
{{index .Config.Labels 5}}
{{index .Config.Labels}}
{{break}}
{{.Name}}{{/* x
{{/* x */ .Name}}
{{.Name }}{{.}
{{(.Name)}} {{(.Name}}
{{.Name)}}
{{?}}
{{a?}}
{{.Na?me}}
{{$x := 1 2}}
{{$x, $y := .Config.Env}}
{{range $a, $b, $c := .Mounts}}{{end}}
{{if .Name}}{{else}}{{else}}{{end}}
{{define "x"}}
{{define x}}{{end}}
{{template x}}
{{1a}}
{{'ab'}}
{{'}}
{{:=}}
{{=}}
{{|}}
{{.Name|}}
{{ }}
{{}}
{{- }}
{{.. }}
{{.Name..X}}
{{$.Name}} {{range .Mounts}}{{$.Driver}}{{end}}
{{true.X}}
{{not}}
{{eq 1}}
{{eq}}
{{len}}
{{printf}}
""".strip("\n").split("\n")


def ours(template: str) -> str:
    try:
        return filled_in(parse(template), DOCUMENT, "ContainerInspect")
    except PyctrError as problem:
        return problem.message


def dockers(fake_docker: Any, template: str) -> str:
    fake_docker.replies["/containers/c/json"] = DOCUMENT
    done = fake_docker.docker("inspect", "--type", "container", "-f", template, "c")
    printed: str = done.stdout
    return printed if done.returncode == 0 else done.stderr.strip("\n")


@pytest.mark.parametrize("template", TEMPLATES)
def test_same_as_docker(template: str, fake_docker: Any) -> None:
    assert ours(template) == dockers(fake_docker, template)


@pytest.mark.parametrize(
    ("template", "text"),
    [
        # A field that may be there is nothing, a field that cannot be is a mistake.
        ("{{if .State.Health}}a{{else}}b{{end}}", "b\n"),
        ("{{.State.Helth}}", 'at <.State.Helth>: map has no entry for key "Helth"'),
        # Docker's structures have Go's names beside those of JSON; both work.
        ("{{.HostConfig.NanoCPUs}} {{.HostConfig.CPUShares}} {{.ID | len}}", "500000000 0 64\n"),
        # What Docker prints as a structure without names.
        ("{{.HostConfig.RestartPolicy}}", "map[MaximumRetryCount:0 Name:no]\n"),
        ('{{join .Name ","}}', "wrong type for value; expected []string; got string"),
        ("{{upper 5}}", "expected string; found 5"),
        ("{{.Name.X}}", "can't evaluate field X in type string"),
    ],
)
def test_where_we_differ(template: str, text: str) -> None:
    assert text in ours(template)


def test_labels_answer_for_keys_they_lack() -> None:
    labels = StringMap(a="1")
    template = compile_template('{{.a}}|{{.b}}|{{index . "b"}}|{{len .}}')
    assert template.execute(labels) == "1|<no value>||1"


PIECES = st.sampled_from(
    [
        *("{{", "}}", "{{- ", " -}}", "/*", "*/", "(", ")", "|", ",", ":=", "=", " ", '"', "`", "\\"),
        *(".Name", ".L", ".Foo", ".", "$", "$x", '"a"', "1", "2.5", "'c'", "true", "nil"),
        *("if ", "else", "end", "range ", "with ", "define ", "template ", "block ", "break", "continue"),
        *(
            "eq ",
            "lt ",
            "and ",
            "or ",
            "not ",
            "len ",
            "index ",
            "slice ",
            "printf ",
            "json ",
            "join ",
            "upper ",
        ),
    ]
)


@settings(deadline=None)
@given(st.lists(PIECES, max_size=14).map("".join) | st.text(max_size=30))
def test_no_template_does_worse_than_an_error(text: str) -> None:
    with suppress(TemplateError):
        compile_template(text).execute({"Name": "n", "L": [1, "a"]})


ACTIONS = st.sampled_from(
    [
        "{{.Name}}",
        "{{if .State.Running}}",
        "{{if eq .Name `x`}}",
        "{{else}}",
        "{{else if .Driver}}",
        "{{end}}",
        "{{range .Mounts}}",
        "{{range $i, $e := .Config.Cmd}}",
        "{{range .HostConfig.Dns}}",
        "{{$i}}",
        "{{.}}",
        "{{.Source}}",
        "{{with .Config.Image}}",
        "{{break}}",
        "{{continue}}",
        "{{$v := 1}}",
        "{{$v}}",
        "{{$v = .Driver}}",
        "{{- len .Config.Env -}}",
        " text ",
        "{{$.Path | printf `%5s|`}}",
        "{{define `t`}}",
        "{{template `t` .}}",
    ]
)


@settings(max_examples=120, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(ACTIONS, min_size=1, max_size=8).map("".join))
def test_any_structure_is_dockers(fake_docker: Any, template: str) -> None:
    mine = ours(template)
    if "map[" in mine or "maximum template depth" in mine:
        return  # docker prints its documents as structures, and lets templates call themselves for longer
    assert mine == dockers(fake_docker, template)


def test_templates_that_call_themselves_end() -> None:
    with pytest.raises(TemplateError, match="exceeded maximum template depth"):
        compile_template('{{define "t"}}{{template "t" .}}{{end}}{{template "t" .}}').execute({})


def test_templates_nested_too_deeply_are_refused() -> None:
    for text in ("{{" + "(" * 5000 + "1" + ")" * 5000 + "}}", "{{if 1}}" * 5000 + "{{end}}" * 5000):
        with pytest.raises(TemplateError, match="max expression depth exceeded"):
            compile_template(text)
