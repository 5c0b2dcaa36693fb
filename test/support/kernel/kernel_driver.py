"""Speaks the Jupyter protocol to one kernel, on behalf of a test.

Usage: kernel_driver.py LAUNCHER FOLDER, started in no particular folder.

Starts `node LAUNCHER kernel …` in FOLDER, prints {"ready": true}, then answers each line of JSON on standard
input with one line of JSON. When standard input ends, the kernel is shut down.
"""

import json
import queue
import sys
import tempfile
from pathlib import Path

from jupyter_client.kernelspec import KernelSpecManager
from jupyter_client.manager import KernelManager

SECONDS = 300


def main(launcher, folder):
    with tempfile.TemporaryDirectory() as specs:
        spec = Path(specs) / "under-test"
        spec.mkdir()
        argv = ["node", launcher, "kernel", "--config-path={connection_file}"]
        (spec / "kernel.json").write_text(
            json.dumps({"argv": argv, "display_name": "Under test", "language": "typescript"})
        )
        manager = KernelManager(
            kernel_name="under-test", kernel_spec_manager=KernelSpecManager(kernel_dirs=[specs])
        )
        kernel_log = open(Path(specs) / "log", "w+")
        # Node makes its standard output non-blocking; were it this program's own, long answers would be cut off.
        manager.start_kernel(cwd=folder, stdout=kernel_log, stderr=kernel_log)
        client = manager.client()
        client.start_channels()
        try:
            client.wait_for_ready(timeout=SECONDS)
            answer({"ready": True, "pid": manager.provisioner.pid})
            for line in sys.stdin:
                request = json.loads(line)
                answer(OPERATIONS[request.pop("op")](manager, client, **request))
        except (queue.Empty, RuntimeError) as error:
            kernel_log.seek(0)
            sys.exit(f"{error or f'The kernel sent no message for {SECONDS} seconds'}; its log: {kernel_log.read()}")
        finally:
            client.stop_channels()
            manager.shutdown_kernel()


def answer(value):
    print(json.dumps(value), flush=True)


def execute(manager, client, codes, stopOnError=True, interruptOn=()):
    """Sends all codes at once; interrupts when a stream contains the next text of interruptOn."""
    ids = [client.execute(code, stop_on_error=stopOnError) for code in codes]
    texts = list(interruptOn)
    messages = {id: [] for id in ids}
    idle = set()
    while len(idle) < len(ids):
        message = client.get_iopub_msg(timeout=SECONDS)
        parent = message["parent_header"].get("msg_id")
        if parent not in messages:
            continue
        content = message["content"]
        if message["msg_type"] == "status":
            if content["execution_state"] == "idle":
                idle.add(parent)
            continue
        messages[parent].append({"type": message["msg_type"], "content": content})
        if texts and message["msg_type"] == "stream" and texts[0] in content["text"]:
            texts.pop(0)
            manager.interrupt_kernel()
    replies = {}
    while len(replies) < len(ids):
        reply = client.get_shell_msg(timeout=SECONDS)
        # Replies to the questions that wait_for_ready asked may still come.
        if reply["parent_header"]["msg_id"] in messages:
            replies[reply["parent_header"]["msg_id"]] = reply["content"]
    return [{"id": id, "reply": replies[id], "messages": messages[id]} for id in ids]


def begin(_manager, client, code, cellId):
    """Sends a cell as JupyterLab does, with its name, and does not wait; returns the message's id."""
    content = {"code": code, "silent": False, "store_history": True, "user_expressions": {}, "stop_on_error": True}
    message = client.session.msg("execute_request", content, metadata={"cellId": cellId})
    client.shell_channel.send(message)
    return message["header"]["msg_id"]


def comm(_manager, client, type, content):
    """Sends a comm message; returns the answer's data, if any, and the states that the kernel told until it answered."""
    message = client.session.msg(type, content)
    client.shell_channel.send(message)
    data, states = None, []
    while True:
        heard = client.get_iopub_msg(timeout=SECONDS)
        own = heard["parent_header"].get("msg_id") == message["header"]["msg_id"]
        if heard["msg_type"] == "comm_msg" and own:
            data = heard["content"]["data"]
        if heard["msg_type"] == "status":
            states.append(heard["content"]["execution_state"])
            if own and states[-1] == "idle":
                return {"data": data, "states": states}


def listen(_manager, client, type):
    """Waits for the next message of a type on iopub, whichever cell it belongs to."""
    while True:
        message = client.get_iopub_msg(timeout=SECONDS)
        if message["msg_type"] == type:
            return {"parent": message["parent_header"]["msg_id"], "content": message["content"]}


def complete(_manager, client, code, position):
    return client.complete(code, position, reply=True, timeout=SECONDS)["content"]


def inspect(_manager, client, code, position):
    return client.inspect(code, position, reply=True, timeout=SECONDS)["content"]


def alive(manager, _client):
    return manager.is_alive()


OPERATIONS = {f.__name__: f for f in (execute, begin, comm, listen, complete, inspect, alive)}

if __name__ == "__main__":
    main(*sys.argv[1:])
