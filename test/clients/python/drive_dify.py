"""Dify's own class of a model behind OpenAI's protocol, by commands."""

from dify_plugin.interfaces.model.openai_compatible.llm import OAICompatLargeLanguageModel  # first: it patches sockets

from commands import serve, tell
from dify_plugin.entities import I18nObject
from dify_plugin.entities.model import DefaultParameterName, ParameterRule, ParameterType
from dify_plugin.entities.model.message import (
    AssistantPromptMessage,
    PromptMessageTool,
    SystemPromptMessage,
    ToolPromptMessage,
    UserPromptMessage,
)
from dify_plugin.interfaces.model.openai_compatible.text_embedding import OAICompatEmbeddingModel

_ROLES = {
    "system": SystemPromptMessage,
    "user": UserPromptMessage,
    "assistant": AssistantPromptMessage,
    "tool": ToolPromptMessage,
}
_FORMATS = ["text", "json_object", "json_schema"]


def _rule(name, kind, **more):
    return ParameterRule(name=name, label=I18nObject(en_us=name), type=kind, required=False, **more)


class Model(OAICompatLargeLanguageModel):
    """What the plugin adds to the class: two parameters, and the wish for the usage of a stream."""

    # Errors are named after the third last part of the module, where a plugin has the name of its provider.
    __module__ = "models.conformance.llm.llm"

    def get_customizable_model_schema(self, model, credentials):
        entity = super().get_customizable_model_schema(model, credentials)
        formats = DefaultParameterName.RESPONSE_FORMAT.value
        entity.parameter_rules.append(_rule(formats, ParameterType.STRING, options=_FORMATS))
        entity.parameter_rules.append(_rule(DefaultParameterName.JSON_SCHEMA.value, ParameterType.TEXT))
        return entity

    def _invoke(self, model, credentials, prompt_messages, model_parameters, tools, stop, stream, user):
        parameters = {**model_parameters, **credentials.get("extra_parameters", {})}
        if stream and credentials.get("stream_include_usage", "enabled") != "disabled":
            parameters["stream_options"] = {"include_usage": True}
        return super()._invoke(model, credentials, prompt_messages, parameters, tools, stop, stream, user)


def _message(said):
    return _ROLES[said["role"]](**{name: value for name, value in said.items() if name != "role"})


def validate(model, credentials):
    """What Dify does when a model is saved."""
    Model([]).validate_credentials(model, credentials)
    return "valid"


def invoke(model, credentials, messages, stop_after=None, **call):
    """What Dify does when an app asks; of a stream only so many pieces may be read."""
    tools = [PromptMessageTool(**tool) for tool in call.pop("tools", [])] or None
    parameters = call.pop("parameters", {})
    chunks = Model([]).invoke(model, credentials, [_message(one) for one in messages], parameters, tools=tools, **call)
    text, calls, pieces, last = "", [], 0, None
    for chunk in chunks:
        pieces += 1
        tell({"piece": pieces})
        text += chunk.delta.message.content or ""
        calls += [one.model_dump() for one in chunk.delta.message.tool_calls]
        last = chunk.delta
        if pieces == stop_after:
            chunks.close()
            break
    return {
        "text": text,
        "tool_calls": calls,
        "pieces": pieces,
        "finish_reason": last.finish_reason,
        "usage": last.usage and {"prompt": last.usage.prompt_tokens, "completion": last.usage.completion_tokens},
    }


def embed(model, credentials, texts):
    """What Dify does when a knowledge base is indexed."""
    return OAICompatEmbeddingModel([]).invoke(model, credentials, texts).embeddings


serve({each.__name__: each for each in (validate, invoke, embed)})
