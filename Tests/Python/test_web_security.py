"""One test for each class of vulnerability that tracking servers have had, as far as this one's surface could have it.

Who gets in at all (Host, Origin, token), on every route, is tried in HoneWebTests.
"""

import gzip
import http.client
import json
import socket
import subprocess
import time
import urllib.parse

import pytest

from web import ask, ask_as_nobody, serving


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    return tmp_path_factory.mktemp("web") / "home"


@pytest.fixture(scope="module")
def url(executable, home):
    with serving(executable, home) as url:
        (home.parent / "secret.txt").write_text("secret")
        # Makes the store.
        ask(f"{url}/api/2.0/mlflow/runs/create", {"experiment_id": "0"})
        (home / "artifacts").mkdir(exist_ok=True)
        (home / "artifacts" / "secret.txt").write_text("secret")
        yield url


@pytest.fixture(scope="module")
def run(url):
    return ask(f"{url}/api/2.0/mlflow/runs/create", {"experiment_id": "0"})[2]["run"]["info"]["run_id"]


def raw(url, method, target, body=b"", headers={}):
    """A request whose target is sent as it stands."""
    address = urllib.parse.urlsplit(url)
    connection = http.client.HTTPConnection(address.hostname, address.port, timeout=20)
    try:
        connection.putrequest(method, target, skip_accept_encoding=True)
        for name, value in {"Content-Length": str(len(body)), **headers}.items():
            connection.putheader(name, value)
        connection.endheaders(body)
        reply = connection.getresponse()
        return reply.status, reply.read()
    finally:
        connection.close()


ESCAPES = [
    "../secret.txt", "../../secret.txt", "../../../../../../../../etc/passwd", "/etc/passwd", "//etc/passwd",
    "%2e%2e/secret.txt", "..%2fsecret.txt", "%252e%252e%252fsecret.txt", "..%5csecret.txt", "..\\secret.txt",
    "a/../../secret.txt", "./secret.txt", "a//b", "file:%2f%2f%2fetc%2fpasswd", "C:%5cwindows", "x%00.txt", "#/../secret.txt",
    "%23/../../secret.txt", "a%0d%0aSet-Cookie:x", "~root/.ssh", "..;/secret.txt",
]


@pytest.mark.parametrize("path", ESCAPES)
def test_no_path_leads_out_of_a_runs_artifacts(url, run, home, path):
    place = f"/api/2.0/mlflow-artifacts/artifacts/0/{run}/artifacts/{path}"
    before = sorted(home.parent.rglob("*.txt"))
    for method, body in (("GET", b""), ("PUT", b"overwritten"), ("DELETE", b"")):
        status, content = raw(url, method, place, body)
        assert status < 500 and b"secret" != content and b"root:" not in content
    assert (home.parent / "secret.txt").read_text() == "secret"
    assert (home / "artifacts" / "secret.txt").read_text() == "secret"
    inside = home / "artifacts" / "0" / run / "artifacts"
    assert all(inside in file.parents for file in set(home.parent.rglob("*.txt")) - set(before))
    for parameter in (path, urllib.parse.unquote(path)):
        query = urllib.parse.urlencode({"run_id": run, "path": parameter})
        for endpoint in (f"/get-artifact?{query}", f"/api/2.0/mlflow/artifacts/list?{query}"):
            status, content = raw(url, "GET", endpoint)
            assert status < 500 and b"secret.txt" not in content.split(b'"message"')[0] and b"root:" not in content


@pytest.mark.parametrize("place", [
    "", "0", "..", "0/..", "secret.txt", "0/artifacts", "0/x/artifacts/a", "../0/{run}/artifacts/a", "1/{run}/artifacts/a",
    "0/models/../../secret.txt", "0/traces/tr-x/artifacts/a", ".uploads/x/y",
])
def test_artifacts_belong_to_a_run_that_exists(url, run, place):
    place = place.format(run=run)
    assert raw(url, "PUT", f"/api/2.0/mlflow-artifacts/artifacts/{place}", b"x")[0] in (400, 404)
    assert raw(url, "GET", f"/api/2.0/mlflow-artifacts/artifacts/{place}")[0] in (200 if place == "" else 400, 400, 404)


def test_links_are_not_followed(url, run, home):
    inside = home / "artifacts" / "0" / run / "artifacts"
    inside.mkdir(parents=True, exist_ok=True)
    (inside / "link.txt").symlink_to(home.parent / "secret.txt")
    (inside / "linked").symlink_to(home.parent)
    for path in ("link.txt", "linked/secret.txt"):
        status, _ = raw(url, "GET", f"/api/2.0/mlflow-artifacts/artifacts/0/{run}/artifacts/{path}")
        assert status in (400, 404)


@pytest.mark.parametrize("location", [
    "file:///etc", "/etc", "../..", "s3://bucket", "http://169.254.169.254/latest", "sqlite:///x", "ftp://x/y", "C:\\x"])
def test_clients_do_not_say_where_artifacts_lie(url, location):
    status, _, reply = ask(
        f"{url}/api/2.0/mlflow/experiments/create", {"name": f"at {location}", "artifact_location": location})
    assert (status, reply["error_code"]) == (400, "INVALID_PARAMETER_VALUE")


def test_sources_are_kept_as_text_and_never_opened(url, run):
    """A data set's source, a model's source, a webhook: nothing here makes the server fetch anything."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        listener.settimeout(0.5)
        target = f"http://127.0.0.1:{listener.getsockname()[1]}/"
        dataset = {"name": "d", "digest": "1", "source_type": "http", "source": json.dumps({"url": target})}
        assert ask(f"{url}/api/2.0/mlflow/runs/log-inputs", {"run_id": run, "datasets": [{"dataset": dataset}]})[0] == 200
        assert ask(f"{url}/api/2.0/mlflow/runs/set-tag", {"run_id": run, "key": "mlflow.source.name", "value": target})[0] == 200
        for path in ("webhooks", "registered-models/create", "model-versions/create", "jobs", "gateway-proxy"):
            assert ask(f"{url}/api/2.0/mlflow/{path}", {"name": "x", "url": target, "source": target})[0] in (404, 405, 501)
        with pytest.raises(TimeoutError):
            listener.accept()


@pytest.mark.parametrize("name", ["page.html", "image.svg", "script.js", 'quote".html', "r\u00e9sum\u00e9.html"])
def test_artifacts_are_saved_and_never_shown(url, run, name):
    place = f"{url}/api/2.0/mlflow-artifacts/artifacts/0/{run}/artifacts/{urllib.parse.quote(name)}"
    content = b"<script>alert(document.domain)</script>"
    assert ask(place, content, method="PUT", headers={"Content-Type": "text/html"})[0] == 200
    addresses = [place, f"{url}/get-artifact?" + urllib.parse.urlencode({"run_id": run, "path": name})]
    for address in addresses:
        status, headers, body = ask(address)
        assert (status, body) == (200, content)
        assert headers["Content-Disposition"].startswith("attachment")
        assert headers["X-Content-Type-Options"] == "nosniff"
        assert "sandbox" in headers["Content-Security-Policy"]
        assert "html" not in headers["Content-Type"] and "svg" not in headers["Content-Type"]


def test_what_a_client_sends_is_not_reflected_as_a_page(url):
    for path in ("/<script>alert(1)</script>", "/api/2.0/mlflow/<script>", "/get-artifact?path=<script>"):
        status, headers, body = ask(url + urllib.parse.quote(path, safe="/?=<>"), headers={"Accept": "*/*"})
        assert headers.get_content_type() != "text/html" or b"<script>alert" not in body
    status, headers, body = ask(f"{url}/api/2.0/mlflow/experiments/get-by-name?experiment_name=%3Cscript%3E")
    assert status == 404 and headers.get_content_type() == "application/json"


def test_packed_bodies_do_not_explode(url):
    bomb = gzip.compress(bytes(300 << 20), 9)
    assert len(bomb) < 1 << 20
    headers = {"Content-Type": "application/x-protobuf", "Content-Encoding": "gzip", "x-mlflow-experiment-id": "0"}
    status, _, reply = ask(f"{url}/v1/traces", bomb, headers=headers)
    assert (status, reply["error_code"]) == (400, "INVALID_PARAMETER_VALUE")
    assert ask(f"{url}/health")[0] == 200


def test_bodies_are_bounded(url):
    for path in ("/rpc", "/v1/traces", "/api/2.0/mlflow/runs/search"):
        status, _ = raw(url, "POST", path, headers={
            "Content-Type": "application/json", "Content-Length": str(10 << 30), "Expect": "100-continue"})
        assert status == 413
    deep = b"[" * 100_000
    status, _, reply = ask(f"{url}/api/2.0/mlflow/runs/search", deep, headers={"Content-Type": "application/json"})
    assert status == 400 and "deep" in reply["message"].lower()


@pytest.mark.parametrize("filter", [
    "metrics.a = 1; DROP TABLE runs", "params.`x` = 'a' OR 1=1 --", "attributes.run_name = '' UNION SELECT 1",
    "tags.\"a\" = \"b'\" ; --", "(" * 5000, "a" * 100_000, "metrics.`'); DROP TABLE runs; --` > 0", "\x00", "params.x IN (1)",
])
def test_filters_are_read_and_never_spliced(url, run, filter):
    for path, more in (("runs/search", {"experiment_ids": ["0"]}), ("traces/search", {
            "locations": [{"mlflow_experiment": {"experiment_id": "0"}}]}), ("experiments/search", {}),
            ("logged-models/search", {"experiment_ids": ["0"]})):
        status, _, reply = ask(f"{url}/api/2.0/mlflow/{path}", {"filter": filter, **more})
        assert status in (200, 400)
        assert not any(word in json.dumps(reply) for word in ("sqlite", "SELECT e", "no such"))
        order = ask(f"{url}/api/2.0/mlflow/{path}", {"order_by": [filter], **more})
        assert order[0] in (200, 400)
    assert ask(f"{url}/api/2.0/mlflow/runs/get?run_id={run}")[0] == 200


def test_the_pages_calls_open_no_file_and_start_no_work(url, run, home):
    def call(method, params):
        return ask(f"{url}/rpc", {"jsonrpc": "2.0", "id": 1, "method": method, "params": params})[2]["error"]

    for path in ("/etc/passwd", str(home.parent / "secret.txt"), "../secret.txt"):
        error = call("loadProgram", {"path": path})
        assert error["code"] == -32602 and "secret" not in error["message"].replace(path, "")
    for method in ("compile", "evaluate", "predict", "saveProgram"):
        assert call(method, {"path": "/tmp/x.json"})["code"] == -32601
    error = call("getArtifact", {"runId": run, "path": "../../../secret.txt"})
    assert error["code"] == -32602


def test_the_store_is_its_owners_alone(home):
    assert (home.stat().st_mode & 0o777) == 0o700
    for file in home.glob("hone.sqlite*"):
        assert (file.stat().st_mode & 0o077) == 0


@pytest.mark.parametrize("host, client", [
    ("127.0.0.1", "127.0.0.1"), ("127.0.0.1", "::ffff:127.0.0.1"), ("::1", "::1")])
def test_other_users_of_the_machine_need_the_token(executable, tmp_path, host, client):
    with serving(executable, tmp_path / "home", "--host", host) as url:
        port = urllib.parse.urlsplit(url).port
        there = f"http://[{client}]:{port}" if ":" in client else url
        create = f"{url}/api/2.0/mlflow/runs/create"
        run = ask(create, {"experiment_id": "0"})[2]["run"]["info"]["run_id"]
        own = {"Host": urllib.parse.urlsplit(url).netloc}
        assert ask(f"{there}/api/2.0/mlflow/runs/get?run_id={run}", headers=own)[0] == 200
        get = f"/api/2.0/mlflow/runs/get?run_id={run}"
        for target, method in ((get, "GET"), ("/", "GET"), ("/api/2.0/mlflow/runs/delete", "POST"), ("/rpc", "POST")):
            reply = ask_as_nobody(url, target, method)
            assert reply.startswith(b"HTTP/1.1 401 "), reply
            assert run.encode() not in reply
        assert b"belongs to another user" in reply and b"MLFLOW_TRACKING_TOKEN" in reply
        assert b"Content-Type: text/plain" in ask_as_nobody(url, "/", headers={"Accept": "text/html"})
        token = (tmp_path / "home" / "token").read_text().strip()
        assert b" 200 OK" in ask_as_nobody(url, get, headers={"Authorization": f"Bearer {token}"})
        assert b" 401 " in ask_as_nobody(url, get, headers={"Authorization": f"Bearer {token[::-1]}"})


def test_a_connection_that_its_user_closed_already_is_not_taken_for_roots(executable, tmp_path):
    """The system names user 0 for a socket that nobody has any more."""
    with serving(executable, tmp_path / "home") as url:
        for number in range(20):
            target = f"/api/2.0/mlflow/experiments/create?name=e{number}"
            ask_as_nobody(url, target, "POST", headers={"Content-Length": "0"}, close_early=True)
        found = ask(f"{url}/api/2.0/mlflow/experiments/search", {"max_results": 100})[2]["experiments"]
        assert [experiment["name"] for experiment in found] == ["Default"]


@pytest.mark.parametrize("fields", [
    ["Host: {0}", "Host: evil.example"], ["Host: evil.example", "Host: {0}"], ["Host: {0}", "hOST: {0}"],
    ["Host: {0}", "Origin: http://{0}", "Origin: http://{0}"],
    ["Host: {0}", "Authorization: Bearer a", "Authorization: Bearer b"],
    ["Host: {0}", "Content-Type: application/json", "Content-Type: text/plain"],
    ["Host: {0}", "Content-Length: 2", "Content-Length: 2"], ["Host: {0}", "Content-Length: 2", "Content-Length: 3"],
    ["Host: {0}", "Content-Length: 2", "Transfer-Encoding: chunked"],
    ["Host: {0}", "Sec-Fetch-Site: same-origin", "Sec-Fetch-Site: cross-site"],
])
def test_headers_that_could_be_read_in_two_ways_are_refused(url, fields):
    address = urllib.parse.urlsplit(url)
    lines = ["POST /rpc HTTP/1.1", *(field.format(address.netloc) for field in fields), "Connection: close", "", "{}"]
    with socket.create_connection((address.hostname, address.port), timeout=20) as connection:
        connection.sendall("\r\n".join(lines).encode())
        assert connection.recv(4096).startswith(b"HTTP/1.1 400 ")


def test_bodies_have_a_bounded_number_of_values(url):
    many = b"[" + b"0," * 1_200_000 + b"0]"
    headers = {"Content-Type": "application/json"}
    for path, body in (("api/2.0/mlflow/runs/search", b'{"a":' + many + b"}"), ("v1/traces", b'{"a":' + many + b"}")):
        status, _, reply = ask(f"{url}/{path}", body, headers=headers)
        assert status == 400 and "more than the 1000000 values" in reply["message"]
    reply = ask(f"{url}/rpc", many, headers=headers)[2]
    assert "more than the 1000000 values" in reply["error"]["message"]
    # The same in protobuf: a resource with attributes that say nothing.
    attributes = b"\x0a\x00" * 1_200_000
    length = len(attributes)
    size = bytes([length & 0x7F | 0x80, length >> 7 & 0x7F | 0x80, length >> 14 & 0x7F | 0x80, length >> 21])
    resource = b"\x0a" + size + attributes
    length = len(resource)
    size = bytes([length & 0x7F | 0x80, length >> 7 & 0x7F | 0x80, length >> 14 & 0x7F | 0x80, length >> 21])
    status, _, reply = ask(
        f"{url}/v1/traces", b"\x0a" + size + resource, headers={"Content-Type": "application/x-protobuf"})
    assert status == 400 and "more than the 1000000 fields" in reply["message"]


def test_connections_that_say_nothing_leave_room_for_the_work(executable, tmp_path):
    command = [
        "sh", "-c", 'ulimit -n 256; exec "$0" "$@"', executable, "serve", "--http", "127.0.0.1:0", "--home",
        str(tmp_path / "home")]
    service = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    open_connections = []
    try:
        port = int(service.stderr.readline().rsplit(b":", 1)[1])
        for _ in range(300):
            connection = socket.create_connection(("127.0.0.1", port), timeout=20)
            connection.sendall(b"POST /rpc HTTP/1.1\r\nHost: localhost\r\nX-Slow: ")
            open_connections.append(connection)
        assert ask(f"http://127.0.0.1:{port}/health")[2] == b"OK"
        request = {
            "program": "question -> answer", "devset": {"name": "word-problems", "split": "test", "limit": 5},
            "metric": "numeric_match", "lm": "simulated"}
        message = {"jsonrpc": "2.0", "id": 1, "method": "evaluate", "params": request}
        service.stdin.write(json.dumps(message).encode() + b"\n")
        service.stdin.flush()
        assert "result" in json.loads(service.stdout.readline())
        # Waiting costs nothing: the processor's time hardly grows.
        before = processor_time(service.pid)
        time.sleep(1)
        assert processor_time(service.pid) - before < 0.5
    finally:
        for connection in open_connections:
            connection.close()
        service.stdin.close()
        service.wait(timeout=20)
        service.stdout.close()
        service.stderr.close()


def processor_time(process):
    with open(f"/proc/{process}/stat") as file:
        fields = file.read().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / 100
