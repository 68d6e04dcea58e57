"""The package openai, by commands."""

from commands import serve, tell
from openai import OpenAI


def _client(base_url, api_key, max_retries=0):
    return OpenAI(base_url=base_url, api_key=api_key, max_retries=max_retries, timeout=200)


def chat(client, body, headers=None):
    """A conversation, answered in whole."""
    answer = _client(**client).chat.completions.create(**body, extra_headers=headers or {})
    return {"request_id": answer._request_id, **answer.model_dump()}


def stream(client, body, headers=None, stop_after=None):
    """A conversation, answered in chunks; of which only so many are read."""
    chunks = []
    answer = _client(**client).chat.completions.create(**body, stream=True, extra_headers=headers or {})
    for chunk in answer:
        chunks.append(chunk.model_dump())
        tell({"chunk": len(chunks)})
        if len(chunks) == stop_after:
            answer.close()
            break
    return chunks


def helper(client, body):
    """The same through the helper that puts the chunks together."""
    with _client(**client).chat.completions.stream(**body) as events:
        for _ in events:
            pass
        return events.get_final_completion().model_dump()


def completion(client, body):
    """A prompt, answered in whole, and in chunks that are put together."""
    whole = _client(**client).completions.create(**body)
    chunks = _client(**client).completions.create(**body, stream=True)
    return {"whole": whole.choices[0].text, "streamed": "".join(one.choices[0].text for one in chunks if one.choices)}


def embeddings(client, body):
    return _client(**client).embeddings.create(**body).model_dump()


def models(client):
    return [model.id for model in _client(**client).models.list()]


def model(client, name):
    return _client(**client).models.retrieve(name).model_dump()


serve({each.__name__: each for each in (chat, stream, helper, completion, embeddings, models, model)})
