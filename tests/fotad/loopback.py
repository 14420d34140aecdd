# SPDX-License-Identifier: Apache-2.0
"""Real servers on 127.0.0.1 for tests: nginx with all its moods, vsftpd, a link that breaks, and a server that lies.

    with loopback.Servers() as servers:
        path = servers.publish("package.zip", content)    # the same file for all of them
        url = servers.http("/files/package.zip")

Everything lies in one temporary directory; only processes that were started here are ended, by their ids."""
import contextlib
import os
import re
import shutil
import signal
import socket
import subprocess
import tempfile
import threading
import time

ADDRESS = "127.0.0.1"
GUEST_ADDRESS = "10.0.2.2"  # of the same servers, as a guest of QEMU's user network sees them
USER = "host"
PASSWORD = "s3cret@word"
START_SECONDS = 20
STOP_SECONDS = 10
CHUNK = 65536


def free_port():
    with socket.socket() as probe:
        probe.bind((ADDRESS, 0))
        return probe.getsockname()[1]


def run(*arguments):
    subprocess.run(arguments, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, timeout=60)


class Authority:
    """A private CA and the certificates that it signed."""

    def __init__(self, directory, name):
        self.directory = directory
        self.name = name
        self.certificate = self.path("ca.pem")
        self.key = self.path("ca.key")
        run("openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days",
            "30", "-subj", f"/CN={name}", "-keyout", self.key, "-out", self.certificate)

    def path(self, name):
        return os.path.join(self.directory, f"{self.name}-{name}")

    def sign(self, name, extensions):
        """Paths of certificate and key."""
        certificate, key, request, extra = (self.path(f"{name}.{end}") for end in ("pem", "key", "csr", "ext"))
        with open(extra, "w", encoding="ascii") as file:
            file.write(extensions)
        run("openssl", "req", "-new", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-subj",
            f"/CN={name}", "-keyout", key, "-out", request)
        run("openssl", "x509", "-req", "-in", request, "-CA", self.certificate, "-CAkey", self.key, "-CAcreateserial",
            "-days", "30", "-extfile", extra, "-out", certificate)
        return certificate, key


class Process:
    """A server that runs in the foreground and can be killed and started again on its port."""

    def __init__(self, command, port, log):
        self.command = command
        self.port = port
        self.log = log
        self.child = None

    def start(self):
        with open(self.log, "ab") as log:
            self.child = subprocess.Popen(self.command, stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        end = time.monotonic() + START_SECONDS
        while True:
            with contextlib.suppress(OSError), socket.create_connection((ADDRESS, self.port), timeout=1):
                return
            if self.child.poll() is not None or time.monotonic() > end:
                with open(self.log, encoding="utf-8", errors="replace") as log:
                    raise RuntimeError(f"{self.command[0]} does not start: {log.read()[-2000:]}")
            time.sleep(0.05)

    def stop(self, number=signal.SIGTERM):
        if self.child is None:
            return
        self.child.send_signal(number)
        try:
            self.child.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self.child.kill()
            self.child.wait(STOP_SECONDS)
        self.child = None

    def kill(self):
        self.stop(signal.SIGKILL)


NGINX = """
daemon off;
master_process off;
pid {directory}/nginx.pid;
error_log {directory}/nginx-error.log;
events {{ worker_connections 256; }}
http {{
    access_log off;
    types {{ }}
    default_type application/octet-stream;
    client_body_temp_path {directory}/t1;
    proxy_temp_path {directory}/t2;
    fastcgi_temp_path {directory}/t3;
    uwsgi_temp_path {directory}/t4;
    scgi_temp_path {directory}/t5;
    server {{
        listen {address}:{http};
        {files}
        location /whole/ {{ alias {root}/; max_ranges 0; }}
        location /tagless/ {{ alias {root}/; etag off; }}
        location /dateless/ {{ alias {root}/; add_header Last-Modified ""; }}
        location /slow/ {{ alias {root}/; limit_rate 200k; }}
        location /private/ {{ alias {root}/; auth_basic "files"; auth_basic_user_file {directory}/users; }}
        location /loop {{ return 302 /loop; }}
        location /refused {{ return 403; }}
        location /expired {{ return 410; }}
        location /later {{ return 202; }}
        location /busy {{ add_header Retry-After 7 always; return 503; }}
        location /moved/ {{ rewrite ^/moved/(.*)$ /files/$1 redirect; }}
        location /up/ {{ rewrite ^/up/(.*)$ https://{address}:{https}/files/$1 redirect; }}
        location /up-and-down/ {{ rewrite ^/up-and-down/(.*)$ https://{address}:{https}/down/$1 redirect; }}
        location /elsewhere/ {{ rewrite ^/elsewhere/(.*)$ ftp://{address}:{ftp}/$1 redirect; }}
    }}
    server {{
        listen {address}:{https} ssl;
        ssl_certificate {certificate};
        ssl_certificate_key {key};
        {files}
        location /down/ {{ rewrite ^/down/(.*)$ http://{address}:{http}/files/$1 redirect; }}
    }}
    server {{
        listen {address}:{https_mutual} ssl;
        ssl_certificate {certificate};
        ssl_certificate_key {key};
        ssl_client_certificate {ca};
        ssl_verify_client on;
        {files}
    }}
}}
"""

VSFTPD = """
listen=YES
listen_address={address}
listen_port={ftp}
background=NO
anonymous_enable=YES
local_enable=NO
no_anon_password=NO
anon_root={root}
ftp_username={user}
nopriv_user={user}
{launching}
secure_chroot_dir={empty}
write_enable=NO
use_localtime=NO
seccomp_sandbox=NO
isolate=NO
isolate_network=NO
pasv_address={address}
connect_from_port_20=NO
ftpd_banner=ready
vsftpd_log_file={directory}/vsftpd.log
log_ftp_protocol=YES
xferlog_enable=YES
"""


class Link:
    """A TCP proxy that counts what comes from the server and, when told so, breaks the link after some bytes.

    Of FTP it also passes the data connections, whose ports it learns from the server's answers to EPSV."""

    def __init__(self, port, ftp=False):
        self.target = port
        self.ftp = ftp
        self.lock = threading.Lock()
        self.received = 0
        self.cut_after = None
        self.cuts = 0
        self.sockets = set()
        self.closed = False
        self.port = self.listen(port, ftp)

    def arm(self, cut_after):
        """Break everything that is open once so many more bytes came; None: never."""
        with self.lock:
            self.received = 0
            self.cut_after = cut_after

    def listen(self, target, is_control, connections=None):
        listener = socket.create_server((ADDRESS, 0))
        self.keep(listener)
        threading.Thread(target=self.accept, args=(listener, target, is_control, connections), daemon=True).start()
        return listener.getsockname()[1]

    def keep(self, kept):
        with self.lock:
            self.sockets.add(kept)

    def drop(self, dropped):
        with self.lock:
            self.sockets.discard(dropped)
        with contextlib.suppress(OSError):
            dropped.shutdown(socket.SHUT_RDWR)
        dropped.close()

    def accept(self, listener, target, is_control, connections):
        with contextlib.suppress(OSError):
            while connections is None or connections > 0:
                client = listener.accept()[0]
                connections = None if connections is None else connections - 1
                self.connect(client, target, is_control)
        if connections == 0:
            self.drop(listener)

    def connect(self, client, target, is_control):
        self.keep(client)
        try:
            server = socket.create_connection((ADDRESS, target), timeout=START_SECONDS)
        except OSError:
            self.drop(client)
            return
        server.settimeout(None)
        self.keep(server)
        threading.Thread(target=self.pass_on, args=(client, server, False, False), daemon=True).start()
        threading.Thread(target=self.pass_on, args=(server, client, True, is_control), daemon=True).start()

    def pass_on(self, source, target, is_answer, is_control):
        with contextlib.suppress(OSError):
            while data := source.recv(CHUNK):
                if is_control:
                    data = re.sub(rb"(?<=\(\|\|\|)\d+(?=\|\))", self.data_port, data)
                if is_answer:
                    data, broken = self.count(data)
                    target.sendall(data)
                    if broken:
                        self.break_all()
                        return
                else:
                    target.sendall(data)
        self.drop(source)
        self.drop(target)

    def data_port(self, match):
        return str(self.listen(int(match.group()), False, 1)).encode()

    def count(self, data):
        with self.lock:
            if self.cut_after is not None and self.received + len(data) >= self.cut_after:
                data = data[:self.cut_after - self.received]
                self.cut_after = None
                self.cuts += 1
                broken = True
            else:
                broken = False
            self.received += len(data)
        return data, broken

    def break_all(self):
        with self.lock:
            connections = [kept for kept in self.sockets if not self.is_listener(kept)]
        for connection in connections:
            self.drop(connection)

    @staticmethod
    def is_listener(kept):
        try:
            return kept.getsockopt(socket.SOL_SOCKET, socket.SO_ACCEPTCONN) == 1
        except OSError:
            return False

    def close(self):
        with self.lock:
            kept = list(self.sockets)
        for one in kept:
            self.drop(one)


class Scripted:
    """A server that does with a connection what a function of the test says: function(connection, request bytes)."""

    def __init__(self):
        self.answers = {}
        self.stopping = threading.Event()
        self.listener = socket.create_server((ADDRESS, 0))
        self.port = self.listener.getsockname()[1]
        threading.Thread(target=self.accept, daemon=True).start()

    def url(self, path, answer):
        self.answers[path] = answer
        return f"http://{ADDRESS}:{self.port}{path}"

    def accept(self):
        with contextlib.suppress(OSError):
            while True:
                connection = self.listener.accept()[0]
                threading.Thread(target=self.serve, args=(connection,), daemon=True).start()

    def serve(self, connection):
        with contextlib.suppress(OSError), connection:
            connection.settimeout(60)
            request = b""
            while b"\r\n\r\n" not in request:
                data = connection.recv(4096)
                if not data:
                    return
                request += data
            path = request.split(b" ")[1].split(b"?")[0].decode()
            self.answers[path](connection, request)

    def trickle(self, connection, data):
        """The same bytes again and again, a few in a second, until the client has enough or the test ends."""
        while not self.stopping.wait(0.1):
            connection.sendall(data)

    def close(self):
        self.stopping.set()
        self.listener.close()


class Servers:
    def __init__(self):
        self.directory = tempfile.mkdtemp(prefix="loopback-")
        os.chmod(self.directory, 0o755)  # vsftpd's anonymous user must get in
        self.root = self.make("files")
        self.ports = {name: free_port() for name in ("http", "https", "https_mutual", "ftp")}
        self.links = []
        self.nginx = self.vsftpd = self.scripted = None

    def __enter__(self):
        try:
            self.authority = Authority(self.directory, "authority")
            self.stranger = Authority(self.directory, "stranger")
            self.client = self.authority.sign("client", "extendedKeyUsage=clientAuth\n")
            self.start_nginx()
            self.start_vsftpd()
            self.scripted = Scripted()
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        for link in self.links:
            link.close()
        for server in (self.nginx, self.vsftpd):
            if server:
                server.stop()
        if self.scripted:
            self.scripted.close()
        shutil.rmtree(self.directory, ignore_errors=True)

    def make(self, name):
        path = os.path.join(self.directory, name)
        os.mkdir(path)
        os.chmod(path, 0o755)
        return path

    def write(self, name, text):
        path = os.path.join(self.directory, name)
        with open(path, "w", encoding="ascii") as file:
            file.write(text)
        return path

    def start_nginx(self):
        certificate, key = self.authority.sign("server", f"subjectAltName=IP:{ADDRESS},IP:{GUEST_ADDRESS}\n")
        self.write("users", f"{USER}:{{PLAIN}}{PASSWORD}\n")
        config = self.write("nginx.conf", NGINX.format(
            directory=self.directory, root=self.root, address=ADDRESS, certificate=certificate, key=key,
            ca=self.authority.certificate, files=f"location /files/ {{ alias {self.root}/; }}", **self.ports))
        self.nginx = Process(["nginx", "-p", self.directory, "-c", config, "-e", f"{self.directory}/nginx-error.log"],
                             self.ports["http"], f"{self.directory}/nginx.out")
        self.nginx.start()

    def start_vsftpd(self):
        root = os.geteuid() == 0
        config = self.write("vsftpd.conf", VSFTPD.format(
            directory=self.directory, root=self.root, address=ADDRESS, empty=self.make("empty"), ftp=self.ports["ftp"],
            user="daemon" if root else os.environ.get("USER", "nobody"),
            launching="" if root else "run_as_launching_user=YES").lstrip())
        self.vsftpd = Process(["vsftpd", config], self.ports["ftp"], f"{self.directory}/vsftpd.out")
        self.vsftpd.start()

    def publish(self, name, content, age=1000):
        """A file for all servers; age: seconds since its last change, so that versions differ in their dates."""
        path = os.path.join(self.root, name)
        with open(path, "wb") as file:
            file.write(content)
        os.chmod(path, 0o644)
        when = int(time.time()) - age
        os.utime(path, (when, when))
        return path

    def url(self, scheme, path, port=None, user=""):
        return f"{scheme}://{user}{ADDRESS}:{port or self.ports[scheme]}{path}"

    def http(self, path):
        return self.url("http", path)

    def link(self, scheme):
        """A link to one of the servers, closed with them."""
        link = Link(self.ports[scheme], scheme == "ftp")
        self.links.append(link)
        return link
