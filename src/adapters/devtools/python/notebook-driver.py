"""Executes a notebook and writes it with its outputs to a report.

Arguments: the notebook's path, or "-" for standard input; the report's path; the time for all cells in seconds.
The report is JSON: {"notebook": ..., "ended_by": "exit" | "timeout"}, or {"problem": "..."}.
"""

import asyncio
import json
import os
import shutil
import stat
import sys
import tempfile
import time

MOST_NOTEBOOK = 16 * 1024 * 1024
MOST_REPORT = 6 * 1024 * 1024
MOST_TEXT = 64 * 1024
# Kernel and driver speak over sockets that are files: no port that others on the machine could reach.
KERNEL_OPTIONS = ["--HistoryManager.enabled=False", "--IPKernelApp.log_level=ERROR"]


def read_notebook(source):
    if source == "-":
        return sys.stdin.buffer.read(MOST_NOTEBOOK + 1)
    with open(os.open(source, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK), "rb") as file:
        if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
            raise ValueError("it is not a file")
        return file.read(MOST_NOTEBOOK + 1)


def parse_notebook(data):
    import nbformat

    if len(data) > MOST_NOTEBOOK:
        raise ValueError("it is too large")
    given = json.loads(data.decode("utf-8"))
    if not isinstance(given, dict) or not isinstance(given.get("nbformat"), int):
        raise ValueError("it has no number of its format (nbformat)")
    if given["nbformat"] >= 4:
        complete(given)
    return nbformat.from_dict(nbformat.convert(nbformat.reads(json.dumps(given), as_version=nbformat.NO_CONVERT), 4))


def complete(given):
    """A notebook that was written by hand may lack what costs nothing to add; old outputs are dropped."""
    given.setdefault("metadata", {})
    given.setdefault("nbformat_minor", 4)
    for cell in given.get("cells", []):
        cell.setdefault("metadata", {})
        if cell.get("cell_type") == "code":
            cell.update(outputs=[], execution_count=None)


def execute(notebook, seconds):
    from jupyter_client.manager import AsyncKernelManager
    from nbclient import NotebookClient
    from nbclient.exceptions import CellExecutionError, CellTimeoutError, DeadKernelError

    until = time.monotonic() + seconds
    folder = tempfile.mkdtemp(prefix="kernel-")
    manager = AsyncKernelManager(kernel_name="python3", transport="ipc", ip=os.path.join(folder, "socket"))
    client = NotebookClient(
        notebook,
        km=manager,
        allow_errors=True,
        timeout_func=lambda cell: max(0.1, until - time.monotonic()),
        startup_timeout=max(5, int(seconds)),
        shutdown_kernel="immediate",
        extra_arguments=KERNEL_OPTIONS,
        resources={"metadata": {"path": os.getcwd()}},
    )
    try:
        client.execute()
        return {"ended_by": "exit"}
    except CellTimeoutError:
        return {"ended_by": "timeout"}
    except DeadKernelError:
        return {"ended_by": "exit", "died": True}
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def cut(value):
    """What is too long is shortened; long data that is no text is left out."""
    if isinstance(value, str):
        return value if len(value) <= MOST_TEXT else value[:MOST_TEXT] + "\n[...]"
    if isinstance(value, list):
        return [cut(each) for each in value[:1000]]
    if isinstance(value, dict):
        return {key: "" if key.startswith("image/") else cut(each) for key, each in value.items()}
    return value


def report_of(notebook, end):
    whole = json.dumps({"notebook": notebook, **end})
    if len(whole) <= MOST_REPORT:
        return whole
    left = MOST_REPORT // 2
    cells = []
    for cell in notebook.cells:
        outputs = [cut(output) for output in cell.get("outputs", [])[:100]]
        left -= len(json.dumps(outputs))
        cells.append({"cell_type": cell.cell_type, "outputs": outputs if left > 0 else []})
    return json.dumps({"notebook": {"cells": cells}, "cut": True, **end})


def main():
    source, report, seconds = sys.argv[1], sys.argv[2], float(sys.argv[3])
    try:
        notebook = parse_notebook(read_notebook(source))
    except Exception as error:
        text = json.dumps({"problem": "%s: %s" % (type(error).__name__, str(error)[:500])})
    else:
        text = report_of(notebook, execute(notebook, seconds))
    with open(report, "w", encoding="utf-8") as file:
        file.write(text)


main()
