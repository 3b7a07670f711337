"""A worker without torch: each task ends as ``FAKE`` (JSON: name of task or case, way) says."""

from __future__ import annotations

import json
import os
import sys
import time
from pathlib import Path

sys.path.insert(0, os.environ["FAKE_CHANNEL"])
from sweep_channel import Channel

channel = Channel()
channel.open()
ways = json.loads(os.environ["FAKE"])
task = channel.task
name = os.environ["RDNA1_LOCK_CASE"]
with Path(os.environ["FAKE_LOG"]).open("a") as log:
    seen = {key: value for key, value in os.environ.items() if key.startswith(("MIOPEN", "HIP"))}
    log.write(json.dumps({"name": name, "kind": task["kind"], "env": seen}) + "\n")
channel.phase("import")
channel.phase("device")
way = ways.get(name, "done")
if name == "probe" and (gone := os.environ.get("FAKE_GONE")) and Path(gone).exists():
    way = "hang"
for case in task.get("cases", ()):
    channel.phase("first", case["id"])
    if way == "hang" or ways.get(case["id"]) == "hang":
        if ways.get("the device") == "dies":
            Path(os.environ["FAKE_GONE"]).write_text("")
        time.sleep(3600)
    if way == "abort":
        os.abort()
    channel.send({"case": {"id": case["id"], "tensors": {}}})
if way == "hang":
    time.sleep(3600)
channel.result({"device": {"kind": "cpu"}, "libraries": {}, "import_s": 0.0})
