"""Runs notebooks from top to bottom, each in a kernel of its own, and fails where a reader would.

    python run_notebooks.py --output-folder DIR [--kernel tslab] [--timeout SECONDS] first.ipynb second.ipynb …

Jupyter's own tools let several failures pass: a cell tagged `raises-exception`, cells that the kernel dropped, and
errors that no cell waits for. Here every cell must be answered with `ok`, get a number and stay free of errors.

The executed notebooks are written to DIR under their own names, also when they fail. The first failure ends the
run. Exit status: 0 if all passed, 1 if one failed, 128 + n if stopped by signal n.
"""

import argparse
import asyncio
import logging
import os
import re
import signal
import sys
import tempfile
from contextlib import asynccontextmanager
from pathlib import Path
from queue import Empty
from time import monotonic

import without_address_grammar  # noqa: F401, I001

import nbformat
from jupyter_client import AsyncKernelManager
from jupyter_client.kernelspec import NoSuchKernel
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError, CellTimeoutError, DeadKernelError
from nbformat.v4 import output_from_msg

STARTUP_SECONDS = 120
# Errors that no cell waits for may arrive shortly after the last cell has ended.
SETTLE_SECONDS = 0.3
SHUTDOWN_SECONDS = 4
FIRST_LINE_WIDTH = 72
# How often a long cell says how far it is.
PROGRESS_SECONDS = 10
# What progress bars and live figures say of themselves, as "Computing features: 20 of 90 images" and "Epoch 3 of 30".
PROGRESS = re.compile(r"(?:Epoch \d+ of \d+|[^.:]+: \d+ of \d+ ).*")


class NotebookFailure(Exception):
    """A notebook did not pass; the message says where and why, `details` are further lines for the reader."""

    def __init__(self, message, details=()):
        super().__init__(message)
        self.details = list(details)


def main():
    arguments = parse_arguments()
    arguments.output_folder.mkdir(parents=True, exist_ok=True)
    received = []

    async def run_until_signal():
        work = asyncio.ensure_future(run_all(arguments))
        loop = asyncio.get_running_loop()
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(number, lambda number=number: (received.append(number), work.cancel()))
        await work

    try:
        asyncio.run(run_until_signal())
    except BaseException as error:
        # nbclient turns a cancelled cell into other errors; the signal is what happened.
        if received:
            print(f"\nStopped by {signal.Signals(received[0]).name}; the kernel is shut down.", file=sys.stderr)
            return 128 + received[0]
        if not isinstance(error, NotebookFailure):
            raise
        print(printable("\n".join([f"\n{error}", *(f"  {line}" for line in error.details)])), file=sys.stderr)
        return 1
    return 0


def printable(text):
    """Shows control characters, which names of files in a message may hold, instead of sending them to the terminal."""
    return re.sub(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]", lambda found: f"\\u{ord(found[0]):04x}", text)


def parse_arguments():
    parser = argparse.ArgumentParser(description="Runs notebooks and fails on any error in them.")
    parser.add_argument("notebooks", nargs="+", type=Path)
    parser.add_argument("--output-folder", type=Path, required=True, help="where the executed notebooks go")
    parser.add_argument("--kernel", default="tslab", help="name of an installed kernel (default: tslab)")
    parser.add_argument(
        "--progress", type=float, default=PROGRESS_SECONDS, help="seconds between two words of a long cell"
    )
    parser.add_argument("--timeout", type=int, help="seconds a cell may take (default: any time)")
    return parser.parse_args()


async def run_all(arguments):
    for path in arguments.notebooks:
        print(path, flush=True)
        await NotebookRun(path, arguments).run()


class NotebookRun:
    """One notebook and its kernel."""

    def __init__(self, path, arguments):
        self.path = path
        self.kernel = arguments.kernel
        self.timeout = arguments.timeout
        self.progress_seconds = arguments.progress
        self.told_at = None
        self.told = False
        self.output_file = arguments.output_folder / path.name
        self.notebook = read_notebook(path)
        # Positions in the notebook; empty code cells are not sent to the kernel.
        self.positions = [
            position
            for position, cell in enumerate(self.notebook.cells)
            if cell.cell_type == "code" and cell.source.strip()
        ]
        self.number = 0
        self.numbers_by_request = {}
        self.late_errors = []
        self.reply = None

    async def run(self):
        with tempfile.TemporaryFile() as kernel_log:
            try:
                async with self.started_kernel(kernel_log) as client:
                    for self.number in range(1, len(self.positions) + 1):
                        await self.run_cell(client)
                    await self.settle(client)
            except DeadKernelError:
                raise NotebookFailure(
                    f"{self.path} failed in cell {self.number}: the kernel ended.", tail_of(kernel_log)
                ) from None
            finally:
                write_notebook(self.notebook, self.output_file)

    @asynccontextmanager
    async def started_kernel(self, kernel_log):
        """Starts the kernel in the notebook's folder, and shuts it down whatever happens."""
        manager = AsyncKernelManager(kernel_name=self.kernel, shutdown_wait_time=SHUTDOWN_SECONDS)
        try:
            manager.kernel_spec
        except NoSuchKernel:
            raise NotebookFailure(
                f"No Jupyter kernel named {self.kernel} is installed for {sys.executable}: run npm start to set it up."
            ) from None
        # TensorFlow's native code writes to standard error; that would tear the progress lines apart.
        await manager.start_kernel(cwd=str(self.path.resolve().parent), stderr=kernel_log)
        channels = manager.client()
        channels.start_channels()
        try:
            try:
                await channels.wait_for_ready(timeout=STARTUP_SECONDS)
            except RuntimeError as error:
                raise NotebookFailure(
                    f"{self.path} failed: the kernel {self.kernel} did not start ({error}).", tail_of(kernel_log)
                ) from None
            yield self.create_client(manager, channels)
        finally:
            channels.stop_channels()
            await manager.shutdown_kernel()

    def create_client(self, manager, channels):
        client = NotebookClient(self.notebook, km=manager, timeout=self.timeout, on_cell_executed=self.keep_reply)
        client.kc = channels
        client.log = logging.getLogger("run_notebooks")
        client.log.setLevel(logging.CRITICAL + 1)
        self.notebook.metadata["kernelspec"] = {
            "name": self.kernel,
            "display_name": manager.kernel_spec.display_name,
            "language": manager.kernel_spec.language,
        }
        self.listen(channels.iopub_channel)
        return client

    def keep_reply(self, cell, cell_index, execute_reply):
        self.reply = execute_reply["content"]
        self.numbers_by_request[execute_reply["parent_header"]["msg_id"]] = self.number
        cell.execution_count = self.reply.get("execution_count")

    def listen(self, iopub):
        """Tells how far a cell is, and keeps errors of cells that have ended; nbclient throws those away."""
        get_msg = iopub.get_msg

        async def get_and_notice(*args, **kwargs):
            message = await get_msg(*args, **kwargs)
            self.tell_progress(message)
            number = self.numbers_by_request.get(message["parent_header"].get("msg_id"))
            if message["msg_type"] == "error" and number is not None:
                self.cell(number).outputs.append(output_from_msg(message))
                self.late_errors.append((number, message["content"]))
            return message

        iopub.get_msg = get_and_notice

    def tell_progress(self, message):
        if message["msg_type"] not in ("display_data", "update_display_data"):
            return
        found = PROGRESS.search(message["content"]["data"].get("text/plain", ""))
        if found is None or monotonic() - self.told_at < self.progress_seconds:
            return
        self.told_at = monotonic()
        self.told = True
        print(f"\n      {found.group().strip()}", end="", flush=True)

    def cell(self, number):
        return self.notebook.cells[self.positions[number - 1]]

    async def run_cell(self, client):
        cell = self.cell(self.number)
        print(f"  [{self.number}/{len(self.positions)}] {first_line(cell)}", end=" ", flush=True)
        started = monotonic()
        self.told_at, self.told = started, False
        self.reply = None
        try:
            await client.async_execute_cell(cell, self.positions[self.number - 1])
        except CellExecutionError:
            pass  # The reply says it, too.
        except CellTimeoutError:
            self.fail(f"it took longer than the allowed {self.timeout} s.")
        finally:
            before = "\n      done in " if self.told else ""
            print(f"{before}{monotonic() - started:.1f} s", flush=True)
        self.check_cell(cell)

    def check_cell(self, cell):
        self.check_late_errors()
        for output in cell.outputs:
            if output.output_type == "error":
                self.fail_with_error(output)
        if self.reply["status"] == "error":
            self.fail_with_error(self.reply)
        if self.reply["status"] != "ok":
            self.fail(f"the kernel did not run it, it answered {self.reply['status']}.")
        if cell.execution_count is None:
            self.fail("the kernel gave it no execution count.")

    def check_late_errors(self):
        for number, error in self.late_errors:
            self.number = number
            self.fail_with_error(error, ", after it had ended")

    def fail_with_error(self, error, when=""):
        name, value = error.get("ename", "Error"), error.get("evalue", "")
        self.fail(f"{name}: {value}", when, (error.get("traceback") or [])[1:])

    def fail(self, reason, when="", details=()):
        raise NotebookFailure(f"{self.path} failed in cell {self.number}{when}: {reason}", details) from None

    async def settle(self, client):
        try:
            while True:
                await client.kc.iopub_channel.get_msg(timeout=SETTLE_SECONDS)
        except Empty:
            self.check_late_errors()
        if not await client.km.is_alive():
            raise DeadKernelError


def read_notebook(path):
    try:
        notebook = nbformat.read(path, as_version=4)
    except FileNotFoundError:
        raise NotebookFailure(f"There is no notebook {path}.") from None
    except nbformat.reader.NotJSONError:
        raise NotebookFailure(f"{path} is not a notebook: it contains no JSON.") from None
    for cell in notebook.cells:
        if cell.cell_type == "code":
            cell.outputs = []
            cell.execution_count = None
    return notebook


def write_notebook(notebook, path):
    """Replaces the file as a whole, so that a reader never sees half a notebook."""
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    nbformat.write(notebook, temporary)
    os.replace(temporary, path)


def first_line(cell):
    line = cell.source.strip().split("\n")[0]
    return line if len(line) <= FIRST_LINE_WIDTH else f"{line[: FIRST_LINE_WIDTH - 1]}…"


def tail_of(kernel_log, lines=10):
    """The last lines that the kernel wrote to standard error: what killed it is often among them."""
    kernel_log.seek(0)
    return kernel_log.read().decode(errors="replace").strip().splitlines()[-lines:]


if __name__ == "__main__":
    sys.exit(main())
