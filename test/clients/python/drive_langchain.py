"""The package langchain-openai, by commands."""

from commands import serve
from langchain_openai import ChatOpenAI, OpenAIEmbeddings


def _chat(client, options):
    return ChatOpenAI(**client, **{"max_retries": 0, "timeout": 200, **options})


def _told(message):
    return {
        "text": message.content,
        "usage": message.usage_metadata,
        "finish_reason": message.response_metadata.get("finish_reason"),
        "tool_calls": message.tool_calls,
    }


def invoke(client, messages, options, tools=None):
    """A conversation, answered in whole."""
    model = _chat(client, options)
    return _told((model.bind_tools(tools) if tools else model).invoke(messages))


def stream(client, messages, options, tools=None):
    """A conversation, answered in chunks that are put together."""
    model = _chat(client, options)
    whole = None
    pieces = 0
    for piece in (model.bind_tools(tools) if tools else model).stream(messages):
        whole = piece if whole is None else whole + piece
        pieces += 1
    return {**_told(whole), "pieces": pieces}


def structured(client, messages, options, schema):
    """An answer after a schema, parsed by the package."""
    return _chat(client, options).with_structured_output(schema, method="json_schema").invoke(messages)


def embeddings(client, texts, options):
    """Vectors; the texts go as texts, since the package cannot count tokens of models that it does not know."""
    model = OpenAIEmbeddings(**client, **options, check_embedding_ctx_length=False, max_retries=0)
    return model.embed_documents(texts)


serve({each.__name__: each for each in (invoke, stream, structured, embeddings)})
