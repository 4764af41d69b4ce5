"""What the usual environment says is obeyed: proxies, certificates, where providers are, LiteLLM's names."""

import base64
import json
import os
import socket
import ssl
import subprocess
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

ANSWER = {
    "id": "c", "object": "chat.completion", "created": 1, "model": "m",
    "choices": [{"index": 0, "message": {"role": "assistant", "content": "[[ ## answer ## ]]\nParis"},
                 "finish_reason": "stop"}],
    "usage": {"prompt_tokens": 10, "completion_tokens": 5, "total_tokens": 15}}
KEYS = ("http_proxy", "https_proxy", "all_proxy", "no_proxy")


class Server:
    """An endpoint that notes its requests, and as a proxy hands tunnels on to `tunnels_to`."""

    def __init__(self, only_path=None, password=None, tunnels_to=None, tls=None):
        outer = self
        self.requests, self.tunnels = [], []

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def answer(self, status, body, **headers):
                data = json.dumps(body).encode()
                self.send_response(status)
                for name, value in {**headers, "Content-Type": "application/json", "Content-Length": len(data)}.items():
                    self.send_header(name, str(value))
                self.end_headers()
                self.wfile.write(data)

            def is_let_in(self):
                wanted = password and "Basic " + base64.b64encode(password.encode()).decode()
                return not wanted or self.headers.get("Proxy-Authorization") == wanted

            def do_POST(self):
                body = json.loads(self.rfile.read(int(self.headers.get("Content-Length", 0))))
                outer.requests.append((self.path, dict(self.headers), body))
                if not self.is_let_in():
                    self.answer(407, {"error": {"message": "proxy authentication required"}})
                elif only_path and not self.path.endswith(only_path):
                    self.answer(404, {"error": {"message": "404 page not found"}})
                else:
                    self.answer(200, ANSWER)

            def do_CONNECT(self):
                outer.tunnels.append(self.path)
                if not self.is_let_in():
                    return self.answer(407, {})
                self.send_response(200)
                self.end_headers()
                with socket.create_connection(tunnels_to) as there:
                    threading.Thread(target=hand_on, args=(there, self.connection), daemon=True).start()
                    hand_on(self.connection, there)
                self.close_connection = True

            def log_message(self, *_):
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.port = self.server.server_port
        if tls:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(*tls)
            self.server.socket = context.wrap_socket(self.server.socket, server_side=True)
        threading.Thread(target=self.server.serve_forever, args=(0.02,), daemon=True).start()


def hand_on(source, target):
    try:
        while data := source.recv(65536):
            target.sendall(data)
        target.shutdown(socket.SHUT_WR)
    except OSError:
        pass


@pytest.fixture
def serve():
    servers = []

    def begin(**options):
        servers.append(Server(**options))
        return servers[-1]

    yield begin
    for one in servers:
        one.server.shutdown()
        one.server.server_close()


@pytest.fixture
def ask(executable, tmp_path):
    """Runs `hone predict` with the variables given; gives the finished process."""
    clean = {name: value for name, value in os.environ.items()
             if name.lower() not in KEYS and not name.startswith(("SSL_CERT", "OPENAI_", "OLLAMA_", "AZURE_"))}

    def run(lm, **variables):
        lm = lm if isinstance(lm, str) else json.dumps({"retries": 0, "cache": False, **lm})
        return subprocess.run(
            [executable, "predict", "--home", str(tmp_path / "home"), "--program", "question -> answer",
             "--lm", lm, "question=hi"],
            env={**clean, **variables}, capture_output=True, text=True, timeout=60)

    return run


def is_right(done):
    assert done.returncode == 0 and "Paris" in done.stdout, done.stdout + done.stderr
    return True


# MARK: Proxies


@pytest.mark.parametrize("name", ["http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"])
def test_a_plain_request_goes_to_the_proxy_with_the_whole_url(serve, ask, name):
    proxy = serve()
    lm = {"model": "openai/m", "apiBase": "http://llm.example.invalid/proxy/v1"}
    assert is_right(ask(lm, **{name: f"http://127.0.0.1:{proxy.port}"}))
    path, headers, _ = proxy.requests[0]
    assert path == "http://llm.example.invalid/proxy/v1/chat/completions"
    assert headers["host"] == "llm.example.invalid"


def test_a_proxy_with_a_password_gets_it_and_nobody_else_sees_it(serve, ask):
    proxy = serve(password="someone:very-secret")
    url = f"http://someone:very-secret@127.0.0.1:{proxy.port}"
    lm = {"model": "openai/m", "apiBase": "http://llm.example.invalid:8000/v1"}
    assert is_right(ask(lm, http_proxy=url))
    assert proxy.requests[0][0] == "http://llm.example.invalid:8000/v1/chat/completions"
    refused = ask(lm, http_proxy=url.replace("very-secret", "wrong-secret"))
    assert refused.returncode != 0 and "407" in refused.stderr + refused.stdout
    gone = ask(lm, http_proxy="http://someone:very-secret@127.0.0.1:1")
    assert gone.returncode != 0 and "the proxy 127.0.0.1:1 of http_proxy" in gone.stderr
    for done in (refused, gone):
        assert "-secret" not in done.stdout + done.stderr


@pytest.mark.parametrize("no_proxy", ["llm.localhost", "*", "other,.localhost"])
def test_what_no_proxy_names_is_reached_directly(serve, ask, no_proxy):
    proxy, endpoint = serve(), serve()
    lm = {"model": "openai/m", "apiBase": f"http://127.0.0.1:{endpoint.port}/v1"}
    variables = {"HTTP_PROXY": f"http://127.0.0.1:{proxy.port}", "NO_PROXY": no_proxy}
    assert is_right(ask(lm, **variables))
    assert len(endpoint.requests) == 1 and not proxy.requests


def test_a_model_on_this_machine_is_reached_without_the_companys_proxy(serve, ask):
    endpoint = serve()
    lm = {"model": "openai/m", "apiBase": f"http://localhost:{endpoint.port}/v1"}
    assert is_right(ask(lm, HTTP_PROXY="http://127.0.0.1:1", HTTPS_PROXY="http://127.0.0.1:1"))


@pytest.fixture
def socks():
    """A SOCKS5 proxy (RFC 1928) that hands everything on to one port here; gives its port and the hosts asked for."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        asked, place = [], []

        def serve(there):
            with there:
                there.recv(262)
                there.sendall(b"\x05\x00")
                head = there.recv(5)
                name = there.recv(head[4] + 2)
                asked.append(name[:-2].decode())
                there.sendall(b"\x05\x00\x00\x01\x7f\x00\x00\x01\x00\x00")
                with socket.create_connection(place[0]) as on:
                    threading.Thread(target=hand_on, args=(on, there), daemon=True).start()
                    hand_on(there, on)

        def accept():
            while True:
                try:
                    there, _ = server.accept()
                except OSError:
                    return
                threading.Thread(target=serve, args=(there,), daemon=True).start()

        threading.Thread(target=accept, daemon=True).start()
        yield server.getsockname()[1], asked, place


def test_a_socks_proxy_is_asked_for_the_name(serve, ask, socks, certificates):
    port, asked, place = socks
    pair = certificates("far", host="llm.example.invalid")
    for server, scheme in ((serve(), "http"), (serve(tls=pair), "https")):
        place[:] = [("127.0.0.1", server.port)]
        lm = {"model": "openai/m", "apiBase": f"{scheme}://llm.example.invalid/v1"}
        assert is_right(ask(lm, ALL_PROXY=f"socks5h://127.0.0.1:{port}", SSL_CERT_FILE=pair[0]))
        assert server.requests[0][0] == "/v1/chat/completions"
    assert asked == ["llm.example.invalid"] * 2


def test_a_proxy_that_cannot_be_used_is_refused_before_any_call(ask):
    done = ask({"model": "openai/m", "apiBase": "http://llm.example.invalid/v1"}, HTTP_PROXY="ftp://u:hidden-word@p")
    assert done.returncode != 0 and "HTTP_PROXY" in done.stderr and "hidden-word" not in done.stderr


def test_the_doctor_names_what_is_set_and_what_cannot_be_used(executable, tmp_path):
    def network(**variables):
        done = subprocess.run(
            [executable, "doctor", "--home", str(tmp_path / "home"), "--json"], env={**os.environ, **variables},
            capture_output=True, text=True, timeout=60)
        assert "hidden-word" not in done.stdout + done.stderr
        return next(one for one in json.loads(done.stdout)["findings"] if one["check"] == "network")

    good = network(HTTPS_PROXY="http://u:hidden-word@p:1", OPENAI_BASE_URL="http://h/v1")
    assert good["level"] == "ok" and {"HTTPS_PROXY", "OPENAI_BASE_URL"} <= set(good["details"]["set"])
    wrong = network(HTTPS_PROXY="ftp://u:hidden-word@p:1")
    assert wrong["level"] == "warning" and "HTTPS_PROXY" in wrong["message"]
    assert "/there/is/none" in network(SSL_CERT_FILE="/there/is/none")["message"]


# MARK: Certificates


@pytest.fixture(scope="module")
def certificates(tmp_path_factory):
    """Makes certificates: gives (certificate, key) for a name, days and an issuer."""
    directory = tmp_path_factory.mktemp("tls")
    (directory / "openssl.cnf").write_text("[req]\ndistinguished_name=dn\n[dn]\n")

    def openssl(*words):
        subprocess.run(["openssl", *map(str, words)], cwd=directory, check=True, capture_output=True)

    def make(name, host="localhost", issuer=None, start=None, end=None):
        certificate, key = directory / f"{name}.pem", directory / f"{name}.key"
        if certificate.exists():
            return str(certificate), str(key)
        openssl("req", "-newkey", "rsa:2048", "-nodes", "-keyout", key, "-out", f"{name}.csr", "-subj", f"/CN={name}",
                "-config", "openssl.cnf")
        is_authority = name == "authority"
        (directory / f"{name}.ext").write_text(
            "basicConstraints=critical,CA:TRUE\n" if is_authority else f"subjectAltName=DNS:{host}\n")
        signer = ["-CA", issuer[0], "-CAkey", issuer[1], "-CAcreateserial"] if issuer else ["-signkey", key]
        if start:
            (directory / "index").write_text("")
            (directory / "serial").write_text("01\n")
            (directory / "ca.cnf").write_text(
                f"[ca]\ndefault_ca=d\n[d]\ndatabase=index\nserial=serial\nnew_certs_dir=.\ndefault_md=sha256\npolicy=p\n"
                "[p]\ncommonName=supplied\n")
            openssl("ca", "-batch", "-config", "ca.cnf", "-in", f"{name}.csr", "-out", certificate, "-notext",
                    "-startdate", start, "-enddate", end, "-extfile", f"{name}.ext", "-cert", issuer[0],
                    "-keyfile", issuer[1])
        else:
            openssl("x509", "-req", "-in", f"{name}.csr", "-days", "30", "-extfile", f"{name}.ext", *signer,
                    "-out", certificate)
        return str(certificate), str(key)

    return make


def secure(server):
    return {"model": "openai/m", "apiBase": f"https://localhost:{server.port}/v1"}


def test_a_certificate_that_the_environment_trusts_is_trusted(serve, ask, certificates, tmp_path):
    own = certificates("own")
    server = serve(tls=own)
    for variables in (
        {"SSL_CERT_FILE": own[0]}, {"REQUESTS_CA_BUNDLE": own[0]}, {"CURL_CA_BUNDLE": own[0]},
        {"SSL_CERT_DIR": f"/there/is/none:{os.path.dirname(own[0])}"},
    ):
        assert is_right(ask(secure(server), **variables)), variables
    authority = certificates("authority")
    assert is_right(ask(secure(serve(tls=certificates("issued", issuer=authority))), SSL_CERT_FILE=authority[0]))


def test_a_certificate_that_is_refused_is_told_in_one_line(serve, ask, certificates):
    authority = certificates("authority")
    cases = [
        (certificates("own"), {}, ["localhost is self-signed (own)", "SSL_CERT_FILE"]),
        (certificates("issued", issuer=authority), {}, ["issued by authority", "SSL_CERT_FILE"]),
        (certificates("other", host="other.example", issuer=authority), {"SSL_CERT_FILE": authority[0]},
         ["for another host", "other.example"]),
        (certificates("old", issuer=authority, start="20200101000000Z", end="20210203000000Z"),
         {"SSL_CERT_FILE": authority[0]}, ["expired on 2021-02-03"]),
        (certificates("young", issuer=authority, start="20800101000000Z", end="20810101000000Z"),
         {"SSL_CERT_FILE": authority[0]}, ["only from 2080-01-01", "clock"]),
    ]
    for pair, variables, words in cases:
        server = serve(tls=pair)
        done = ask({**secure(server), "retries": 3}, **variables)
        assert done.returncode != 0 and not server.requests
        assert all(word in done.stderr for word in words), done.stderr
        assert not any(dump in done.stderr for dump in ("NIOSSL", "BoringSSL", "SSLError", "CERTIFICATE_VERIFY")), done.stderr


def test_a_server_without_tls_is_told_apart(serve, ask):
    done = ask(secure(serve()))
    assert done.returncode != 0 and "does not speak TLS" in done.stderr and "NIO" not in done.stderr, done.stderr


def test_certificates_that_cannot_be_read_are_refused_before_any_call(serve, ask, certificates):
    server = serve(tls=certificates("own"))
    done = ask(secure(server), SSL_CERT_FILE="/there/is/none.pem")
    assert done.returncode != 0 and "SSL_CERT_FILE" in done.stderr and "/there/is/none.pem" in done.stderr
    assert not server.requests


def test_a_tunnel_through_a_proxy_keeps_key_and_prompt_from_it(serve, ask, certificates, monkeypatch):
    # A name that is not this machine's own: a proxy is asked for it.
    pair = certificates("far", host="llm.example.invalid")
    endpoint = serve(tls=pair)
    proxy = serve(tunnels_to=("127.0.0.1", endpoint.port), password="u:very-secret")
    lm = {"model": "openai/m", "apiBase": "https://llm.example.invalid/v1"}
    url = f"http://u:very-secret@127.0.0.1:{proxy.port}"
    assert is_right(ask(lm, HTTPS_PROXY=url, SSL_CERT_FILE=pair[0]))
    assert proxy.tunnels == ["llm.example.invalid:443"] and not proxy.requests
    assert endpoint.requests[0][0] == "/v1/chat/completions"
    assert not any(name.lower() == "proxy-authorization" for name in endpoint.requests[0][1])
    # What is wrong with the certificate is told through the proxy too.
    done = ask(lm, HTTPS_PROXY=url)
    assert "llm.example.invalid is self-signed (far)" in done.stderr, done.stderr
    refused = ask(lm, HTTPS_PROXY=url.replace("very", "less"), SSL_CERT_FILE=pair[0])
    assert refused.returncode != 0 and "user name and password" in refused.stderr, refused.stderr
    assert "-secret" not in done.stderr + refused.stderr


# MARK: Where providers are


@pytest.mark.parametrize("name", ["OPENAI_BASE_URL", "OPENAI_API_BASE"])
def test_the_base_of_openai_is_where_its_variable_says(serve, ask, name):
    server = serve()
    assert is_right(ask("openai/m", **{"OPENAI_API_KEY": "a-key-of-mine", name: f"http://127.0.0.1:{server.port}/v1"}))
    path, headers, body = server.requests[0]
    assert path == "/v1/chat/completions" and headers["authorization"] == "Bearer a-key-of-mine"
    assert body["model"] == "m"


def test_a_request_that_names_its_base_gets_no_key(serve, ask):
    server, other = serve(), serve()
    lm = {"model": "openai/m", "apiBase": f"http://127.0.0.1:{server.port}/v1"}
    assert is_right(ask(lm, OPENAI_API_KEY="a-key-of-mine", OPENAI_BASE_URL=f"http://127.0.0.1:{other.port}/v1"))
    assert not other.requests and not any(name.lower() == "authorization" for name in server.requests[0][1])


@pytest.mark.parametrize("prefix", ["ollama", "ollama_chat"])
@pytest.mark.parametrize("host", ["127.0.0.1:{}", "http://127.0.0.1:{}", "0.0.0.0:{}"])
def test_ollama_is_where_its_own_variable_says(serve, ask, prefix, host):
    server = serve(only_path="/v1/chat/completions")
    assert is_right(ask(f"{prefix}/m", OLLAMA_HOST=host.format(server.port)))
    assert [request[0] for request in server.requests] == ["/v1/chat/completions"]
    assert server.requests[0][2]["model"] == "m"


def test_azure_is_asked_for_a_deployment(serve, ask):
    server = serve()
    variables = {"AZURE_API_BASE": f"http://127.0.0.1:{server.port}", "AZURE_API_KEY": "azure-key-1",
                 "AZURE_API_VERSION": "2024-06-01"}
    assert is_right(ask("azure/my-deployment", **variables))
    path, headers, _ = server.requests[0]
    assert path == "/openai/deployments/my-deployment/chat/completions?api-version=2024-06-01"
    assert headers["api-key"] == "azure-key-1"


@pytest.mark.parametrize("model", ["ollama_chat/m", "hosted_vllm/m", "lm_studio/m", "together_ai/m", "openai_like/m"])
def test_a_name_of_litellms_names_the_model_behind_it(serve, ask, model):
    server = serve()
    assert is_right(ask({"model": model, "apiBase": f"http://127.0.0.1:{server.port}/v1"}))
    assert server.requests[0][2]["model"] == "m"


@pytest.mark.parametrize("path", ["", "/", "/some/root"])
def test_a_base_that_lacks_its_version_is_found(serve, ask, path):
    server = serve(only_path="/v1/chat/completions")
    assert is_right(ask({"model": "ollama/m", "apiBase": f"http://127.0.0.1:{server.port}{path}"}))
    assert [request[0] for request in server.requests] == [
        path.rstrip("/") + "/chat/completions", path.rstrip("/") + "/v1/chat/completions"]


def test_a_path_that_is_missing_is_told_with_what_was_tried(serve, ask):
    server = serve(only_path="/nowhere")
    base = f"http://127.0.0.1:{server.port}"
    done = ask({"model": "openai/m", "apiBase": base})
    assert done.returncode != 0 and f"{base}/v1" in done.stderr and len(server.requests) == 2
