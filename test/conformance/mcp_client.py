"""The official Python client, led over a pipe: a call a line comes in, an answer a line goes out."""

import asyncio
import json
import sys

import httpx2
from mcp import Client
from mcp.client.streamable_http import streamable_http_client
from mcp.types import ElicitResult


async def elicit(_context, params):
    """Whoever is asked fills in what is asked for, and agrees."""
    fields = params.requested_schema["properties"]
    content = {name: "approve" if "enum" in field else "tea" for name, field in fields.items()}
    return ElicitResult(action="accept", content=content)


async def main(url, key, mode, can_be_asked):
    http = httpx2.AsyncClient(headers={"Authorization": f"Bearer {key}"}, timeout=60)
    callback = {"elicitation_callback": elicit} if can_be_asked else {}
    async with Client(streamable_http_client(url, http_client=http), mode=mode, **callback) as client:
        listed = await client.list_tools()
        print(json.dumps([tool.name for tool in listed.tools]), flush=True)
        for line in await asyncio.to_thread(lambda: sys.stdin):
            call = json.loads(line)
            result = await client.call_tool(call["name"], call["args"])
            answer = {
                "isError": result.is_error,
                "structuredContent": result.structured_content,
                "text": "".join(part.text for part in result.content if part.type == "text"),
            }
            print(json.dumps(answer), flush=True)


asyncio.run(main(sys.argv[1], sys.argv[2], sys.argv[3], sys.argv[4] == "asked"))
