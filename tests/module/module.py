# SPDX-License-Identifier: Apache-2.0
"""The virtual module seen from the host: make its NAND contents, run it in QEMU, hear what it says on its channels."""
import contextlib
import dataclasses
import fcntl
import json
import os
import re
import selectors
import shlex
import shutil
import signal
import socket
import subprocess
import tempfile
import threading
import time

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.realpath(__file__))))
MODULE = os.path.join(ROOT, "build", "module")
INPUT = os.path.join(ROOT, "build", "input")
CHANNELS = ("smd7", "smd11")
DUMP_BYTES = 512 << 20
READY = "module: ready for orders"
NETWORK = ["-netdev", "user,id=net", "-device", "virtio-net-device,netdev=net"]


class ModuleError(Exception):
    """What of the virtual module does not work, and why."""


@dataclasses.dataclass(frozen=True)
class Board:
    """What the factory's file systems must fit."""
    mkfs: tuple
    rootfs_blocks: int
    modem_blocks: int


# 4 KiB pages, 256 KiB erase blocks without sub-pages: UBI's headers take two pages of a block.
BOARD = Board(("mkfs.ubifs", "-m", "4096", "-e", "253952", "-x", "lzo"), rootfs_blocks=460, modem_blocks=160)


@dataclasses.dataclass
class Line:
    seconds: float
    source: str  # "console" or a channel
    text: str


class Dialogue:
    """What the host says, and when. steps: (source, pattern, to whom, text): when the source says a line with the
    pattern in it, the text goes to a channel or, as a line, to "console"; each step after the one before. A failure
    that no step waits for ends the run."""

    END = ("console", "end_run")
    FAILURE = r'^ERROR$|END",[1-9]'

    def __init__(self, *steps):
        self.steps = list(steps)

    def answer(self, line):
        """(to whom, text), or None."""
        if not self.steps:
            return None
        source, pattern, *answer = self.steps[0]
        if line.source == source and re.search(pattern, line.text):
            self.steps.pop(0)
            return answer
        if line.source == "smd7" and re.search(self.FAILURE, line.text):
            self.steps.clear()
            return self.END
        return None


@dataclasses.dataclass
class Result:
    folder: str
    lines: list
    done: bool  # the scenario came to its end and the NAND's contents are in dump

    @property
    def dump(self):
        return os.path.join(self.folder, "dump.tar")

    def said(self, source):
        return [line.text for line in self.lines if line.source == source and line.text]

    def urcs(self, channel="smd7"):
        return [text.removeprefix("+QIND: ") for text in self.said(channel) if text.startswith("+QIND")]

    def boots(self):
        """The modes of the module's boots, in order."""
        prefix = "module: boot "
        return [text.split()[-1] for text in self.said("console") if text.startswith(prefix)]


def prepare(*more):
    """What all runs need, made once; more: other programs that make something."""
    for program in ("scripts/deps module servers", "scripts/input", "initramfs/pack", *more):
        path, *arguments = program.split()
        if subprocess.run([os.path.join(ROOT, path), *arguments], timeout=1800, check=False).returncode:
            raise ModuleError(f"{program} failed")


def make_input(*versions):
    """Versions of the firmware, made once."""
    command(os.path.join(ROOT, "scripts", "input"), *versions)


def command(*arguments, cwd=None, stdin=None, stdout=subprocess.PIPE):
    result = subprocess.run(arguments, cwd=cwd, input=stdin, stdout=stdout, stderr=subprocess.PIPE, timeout=300,
                            check=False)
    if result.returncode:
        words = result.stderr.decode(errors="replace").strip()[-500:]
        raise ModuleError(f"{' '.join(arguments)}: exit {result.returncode}: {words}")
    return result.stdout


@contextlib.contextmanager
def locked(path):
    """One process at a time, whoever else runs the same case or makes the same file."""
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(f"{path}.lock", "w", encoding="utf-8") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def make_archive(folder, archive):
    paths = (os.path.join(d, name) for d, folders, files in os.walk(folder) for name in folders + files)
    names = "\n".join(sorted(os.path.relpath(path, folder) for path in paths))
    with open(archive, "wb") as file:
        command("cpio", "--quiet", "-o", "-H", "newc", "--owner", "0:0", cwd=folder, stdin=names.encode(), stdout=file)


def make_factory(version="v1"):
    """The archive of what the factory writes to the NAND: file systems and raw partitions of one version."""
    make_input(version)
    archive = os.path.join(MODULE, f"factory-{version}.cpio")
    with locked(archive):
        tree = os.path.join(INPUT, version, "targetfiles")
        if not os.path.exists(archive) or os.path.getmtime(archive) <= os.path.getmtime(f"{tree}.zip"):
            make_factory_archive(tree, archive, BOARD)
    return archive


def make_factory_archive(tree, archive, board):
    folder = f"{archive}.tree"
    shutil.rmtree(folder, ignore_errors=True)
    os.makedirs(f"{folder}/factory")
    command("cp", "-a", f"{tree}/SYSTEM", f"{folder}/system")
    os.rename(f"{folder}/system/firmware", f"{folder}/modem")
    os.mkdir(f"{folder}/system/firmware")
    for part, image, blocks in (("system", "rootfs", board.rootfs_blocks), ("modem", "modem", board.modem_blocks)):
        command(*board.mkfs, "-c", str(blocks), "-r", f"{folder}/{part}", "-o", f"{folder}/factory/{image}.ubifs")
    shutil.copy(f"{tree}/BOOTABLE_IMAGES/boot.img", f"{folder}/factory/boot.img")
    shutil.copy(f"{tree}/MULTIFOTA/abl.elf", f"{folder}/factory/abl.elf")
    shutil.rmtree(f"{folder}/system")
    shutil.rmtree(f"{folder}/modem")
    make_archive(folder, f"{archive}.new")
    os.replace(f"{archive}.new", archive)
    shutil.rmtree(folder)


def join(parts, path):
    """One initramfs of several archives: the kernel unpacks them in turn, a later file replaces an earlier."""
    with open(path, "wb") as whole:
        for part in parts:
            with open(part, "rb") as file:
                shutil.copyfileobj(file, whole)


def make_start_system(folder, scenario, package, factory):
    """One initramfs of everything the module needs."""
    os.makedirs(f"{folder}/scenario/scenario")
    with open(f"{folder}/scenario/scenario/scenario", "w", encoding="utf-8") as file:
        file.write(scenario)
    shutil.copy(package, f"{folder}/scenario/scenario/package")
    make_archive(f"{folder}/scenario", f"{folder}/scenario.cpio")
    images = [f"{MODULE}/{name}.cpio" for name in ("base", "recovery", "normal")]
    parts = [*images, factory if os.path.isabs(factory) else make_factory(factory), f"{folder}/scenario.cpio"]
    join(parts, f"{folder}/initrd")
    shutil.rmtree(f"{folder}/scenario")
    os.unlink(f"{folder}/scenario.cpio")


class Machine:
    """One run of QEMU. It always ends: by itself, or killed by its own process id when its time is over."""

    def __init__(self, initrd, disks, memory, snapshot=None, network=False):
        self.sockets = tempfile.mkdtemp(prefix="fota-")
        self.listeners = {name: self.listen(name) for name in (*CHANNELS, "control")}
        self.channels = {}
        arguments = self.arguments(initrd, disks, memory, snapshot)
        arguments += NETWORK if network else ["-net", "none"]
        self.process = subprocess.Popen(arguments, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                        stderr=subprocess.STDOUT)

    def listen(self, name):
        listener = socket.socket(socket.AF_UNIX)
        listener.bind(os.path.join(self.sockets, name))
        listener.listen(1)
        listener.settimeout(60)
        return listener

    def arguments(self, initrd, disks, memory, snapshot):
        arguments = ["qemu-system-arm", "-M", "virt", "-cpu", "cortex-a7", "-m", str(memory), "-display", "none",
                     "-monitor", "none", "-serial", "stdio", "-no-reboot",
                     "-qmp", f"unix:{self.sockets}/control",
                     "-kernel", f"{MODULE}/vmlinuz", "-initrd", initrd,
                     "-append", "console=ttyAMA0 quiet panic=-1 log_buf_len=4M"]
        if snapshot:
            arguments += ["-incoming", f"exec:cat {shlex.quote(snapshot)}"]
        for name, path in disks.items():
            arguments += ["-drive", f"if=none,id={name},format=raw,cache=unsafe,file={path}",
                          "-device", f"virtio-blk-device,drive={name},serial={name}"]
        arguments += ["-device", "virtio-serial-device"]
        for name in CHANNELS:
            arguments += ["-chardev", f"socket,id={name},path={self.sockets}/{name}",
                          "-device", f"virtserialport,chardev={name},name={name}"]
        return arguments

    def connect(self, name):
        try:
            return self.listeners[name].accept()[0]
        except TimeoutError:
            raise ModuleError(f"{self.sockets}/{name}: QEMU did not connect") from None

    def read(self, deadline):
        """Yield (source, bytes) as they arrive, until QEMU ends or the deadline is over."""
        with selectors.DefaultSelector() as selector:
            for name in CHANNELS:
                connection = self.channels[name] = self.connect(name)
                selector.register(connection, selectors.EVENT_READ, (name, connection.recv))
            console = self.process.stdout.fileno()
            selector.register(console, selectors.EVENT_READ, ("console", lambda size: os.read(console, size)))
            while selector.get_map() and time.monotonic() < deadline:
                for key, _ in selector.select(timeout=1):
                    data = key.data[1](65536)
                    if not data:
                        selector.unregister(key.fileobj)
                    yield key.data[0], data

    def say(self, where, text):
        """To a channel, or as a line to the console."""
        if where == "console":
            self.process.stdin.write(f"{text}\n".encode())
            self.process.stdin.flush()
        else:
            self.channels[where].sendall(text.encode())

    def control(self):
        """QEMU's control connection: ask(command, arguments) gives the answer."""
        with self.connect("control") as connection:
            connection.settimeout(60)
            stream = connection.makefile("rw", encoding="utf-8")
        stream.readline()

        def ask(execute, **arguments):
            stream.write(json.dumps({"execute": execute, "arguments": arguments}) + "\n")
            stream.flush()
            for text in stream:
                answer = json.loads(text)
                if "return" in answer:
                    return answer["return"]
                if "error" in answer:
                    raise ModuleError(f"QEMU: {execute}: {answer['error']['desc']}")
            raise ModuleError(f"QEMU: {execute}: no answer")

        ask("qmp_capabilities")
        return ask

    @staticmethod
    def wait_until(ask, command, status):
        """Ask QEMU the command until its status is this one."""
        for _ in range(600):
            if ask(command).get("status") == status:
                return
            time.sleep(0.05)
        raise ModuleError(f"QEMU: {command} does not come to {status}")

    def save(self, path):
        """The whole machine, stopped, to a file that another one can start from."""
        ask = self.control()
        ask("stop")
        ask("migrate-set-parameters", **{"max-bandwidth": 1 << 32})
        ask("migrate", uri=f"exec:cat >{shlex.quote(path)}")
        self.wait_until(ask, "query-migrate", "completed")

    def go_on(self, text):
        """From a snapshot, as soon as that is read; the text is a line for the console."""
        ask = self.control()
        self.wait_until(ask, "query-status", "paused")
        ask("cont")
        self.say("console", text)

    def stop(self):
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGKILL)
        self.process.wait()
        self.process.stdin.close()
        self.process.stdout.close()
        shutil.rmtree(self.sockets)


def split_lines(chunks, start):
    """Lines with the time at which they were complete."""
    rest = {}
    for source, data in chunks:
        rest[source] = rest.get(source, b"") + data
        *complete, rest[source] = rest[source].replace(b"\r", b"\n").split(b"\n")
        for text in complete:
            if text:
                yield Line(time.monotonic() - start, source, text.decode(errors="replace"))


def run(name, scenario, package, timeout=600, tell=None, dialogue=None, factory="v1"):
    """Run a scenario (shell text, see initramfs/module/init) with an update package on a module with the factory's
    version; tell() gets each Line at once. With a Dialogue the module's system runs qfotad, and the module has a
    network."""
    folder = os.path.join(MODULE, "runs", name)
    if dialogue:
        scenario = f"daemon=yes\n{scenario}"
    with locked(folder):
        shutil.rmtree(folder, ignore_errors=True)
        os.makedirs(folder)
        make_start_system(folder, scenario, package, factory)
        make_dump_disk(f"{folder}/dump.tar")
        try:
            return boot(folder, f"{folder}/initrd", {"dump": f"{folder}/dump.tar"}, timeout=timeout, tell=tell,
                        dialogue=dialogue)
        finally:
            os.unlink(f"{folder}/initrd")


def make_dump_disk(path):
    """A file with a hole: the guest writes a tar archive to the start of this disk."""
    with open(path, "wb") as file:
        file.truncate(DUMP_BYTES)


def boot(folder, initrd, disks, *, memory=1024, timeout=600, tell=None, doom=None, snapshot=None, orders=None,
         dialogue=None):
    """One run of QEMU; what it says goes to lines.log, too. disks: {name: file}. doom() gets each Line and tells in how
    many seconds the machine is to be killed, or None; until then it is listened to. One that starts from a snapshot is
    given its orders, a line that it waits for on its console."""
    start = time.monotonic()
    lines = []
    machine = Machine(initrd, disks, memory, snapshot, network=bool(dialogue))
    try:
        if snapshot:
            machine.go_on(orders)
        with open(f"{folder}/lines.log", "a", encoding="utf-8") as log:
            for line in split_lines(machine.read(start + timeout), start):
                lines.append(line)
                log.write(f"{line.seconds:8.2f} {line.source:8} {line.text}\n")
                if tell:
                    tell(line)
                answer = dialogue.answer(line) if dialogue else None
                if answer:
                    machine.say(*answer)
                seconds = doom(line) if doom else None
                if seconds is not None:
                    threading.Timer(seconds, machine.process.kill).start()
    finally:
        machine.stop()
    return Result(folder, lines, any(line.source == "console" and line.text == "module: done" for line in lines))


def make_snapshot(path, initrd, disks, memory):
    """Let a machine with such disks boot until it waits for its orders, and keep that moment."""
    start = time.monotonic()
    machine = Machine(initrd, disks, memory)
    try:
        for line in split_lines(machine.read(start + 120), start):
            if line.text == READY:
                machine.save(f"{path}.new")
                os.replace(f"{path}.new", path)
                return
        raise ModuleError("the virtual module did not come to wait for its orders")
    finally:
        machine.stop()
