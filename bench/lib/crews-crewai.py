"""CrewAI in the bench of crews, by commands (test/clients/python/commands.py): `open`, then `runs` as often as asked.

The crew comes as the product's definition of it and is said in CrewAI's words: role, goal and backstory are the same, the
instruction with the inputs is the description, the output's schema is a model of pydantic (`output_json`), and what a
task needs is its context. Memory, tracing, telemetry and printing are off.
"""

import asyncio
import logging
import time
from concurrent.futures import ThreadPoolExecutor

from commands import serve
from crewai import LLM, Agent, Crew, Process, Task
from crewai.utilities.pydantic_schema_utils import create_model_from_schema

# It tells for each call that it cannot count the tokens of a model that it does not know.
logging.getLogger().setLevel(logging.ERROR)

# Crews that are ready, one for each run at once: CrewAI's objects hold the state of one run.
_free = []
_loop = asyncio.new_event_loop()


def _closed(schema):
    """The schema with what the product adds by itself: no other parts than those that are named."""
    if schema["type"] == "object":
        parts = {name: _closed(part) for name, part in schema["properties"].items()}
        return {**schema, "properties": parts, "additionalProperties": False}
    if schema["type"] == "array":
        return {**schema, "items": _closed(schema["items"])}
    return schema


def _inputs(uses):
    names = [reference.removeprefix("inputs.") for reference in uses if reference.startswith("inputs.")]
    return "".join(f"\n\ninputs.{name}: {{{name}}}" for name in names)


def _crew(definition, model):
    llm = LLM(**model)
    agents = {
        name: Agent(**{part: agent[part] for part in ("role", "goal", "backstory")}, llm=llm, allow_delegation=False)
        for name, agent in definition["agents"].items()
    }
    tasks = {}
    for name, task in definition["tasks"].items():
        tasks[name] = Task(
            name=name,
            description=task["instruction"] + _inputs(task["uses"]),
            expected_output="One JSON object after the schema.",
            agent=agents[task["agent"]],
            context=[tasks[needed] for needed in task.get("needs", [])],
            output_json=create_model_from_schema(_closed(task["output"]), model_name=name),
        )
    return Crew(
        agents=list(agents.values()),
        tasks=list(tasks.values()),
        process=Process.sequential,
        memory=False,
        cache=False,
        tracing=False,
        verbose=False,
    )


def open_crews(definition, model, at_once):
    """Makes as many crews as are to run at once. `kickoff_async` runs each in a thread: there are enough of them."""
    _loop.set_default_executor(ThreadPoolExecutor(at_once))
    _free.extend(_crew(definition, model) for _ in range(at_once))


async def _run(crew, inputs):
    began = time.perf_counter()
    try:
        output = await crew.kickoff_async(inputs=inputs)
        told = {"result": output.json_dict}
    except Exception as error:  # whatever it is, the run has failed
        told = {"problem": f"{type(error).__name__}: {error}"}
    return {**told, "total": (time.perf_counter() - began) * 1000}


async def _lanes(given, at_once, limit_s):
    left = list(given.items())
    runs = {}
    began = time.perf_counter()

    async def lane(crew):
        while left and time.perf_counter() - began < limit_s:
            marker, inputs = left.pop(0)
            runs[marker] = await _run(crew, inputs)

    await asyncio.gather(*(lane(crew) for crew in _free[:at_once]))
    return {"runs": runs, "per_second": len(runs) / (time.perf_counter() - began)}


def runs(given, at_once, limit_s):
    """Runs with these inputs by their markers, so many at once, each next one as soon as one has ended."""
    return _loop.run_until_complete(_lanes(given, at_once, limit_s))


serve({"open": open_crews, "runs": runs})
