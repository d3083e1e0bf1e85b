"""Python's SDKs and frameworks, each as a function (base_url, headers, turns, stream) -> answers: a
conversation in which the client keeps the history its own way and runs the tool `weather` when it is called.
`base_url` ends in /v1. What a test does not drive is not imported."""

# pylint: disable=import-outside-toplevel

import asyncio
import json

SYSTEM = "Be brief."
MODEL = "test-model"
SCHEMA = {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"], "additionalProperties": False}


def weather(city: str) -> str:
    """The weather in a city."""
    return f"It rains in {city}."


def async_openai(base_url, headers):
    import openai

    return openai.AsyncOpenAI(api_key="test-key", base_url=base_url, default_headers=headers, max_retries=0)


# ---- the openai SDK ----


def openai_reply(client, stream, **asked):
    if not stream:
        return client.responses.create(model=MODEL, instructions=SYSTEM, **asked)
    with client.responses.stream(model=MODEL, instructions=SYSTEM, **asked) as events:
        return events.until_done().get_final_response()


def tool_outputs(reply):
    calls = [item for item in reply.output if item.type == "function_call"]
    return [
        {"type": "function_call_output", "call_id": c.call_id, "output": weather(**json.loads(c.arguments))} for c in calls
    ]


def openai_tools():
    return [{"type": "function", "name": "weather", "parameters": SCHEMA, "strict": True}]


def openai_sdk(base_url, headers, turns, stream):
    """With the history in the client: all items are sent again."""
    import openai

    items, answers = [], []
    with openai.OpenAI(api_key="test-key", base_url=base_url, default_headers=headers, max_retries=0) as client:
        for turn in turns:
            brought = [{"role": "user", "content": turn}]
            while brought:
                items += brought
                reply = openai_reply(client, stream, input=items, tools=openai_tools(), store=False)
                items += [item.model_dump(exclude_none=True) for item in reply.output]
                brought = tool_outputs(reply)
            answers.append(reply.output_text)
    return answers


def openai_sdk_chained(base_url, headers, turns, stream):
    """With the history at the provider."""
    import openai

    previous, answers = openai.omit, []
    with openai.OpenAI(api_key="test-key", base_url=base_url, default_headers=headers, max_retries=0) as client:
        for turn in turns:
            brought = turn
            while brought:
                reply = openai_reply(client, stream, input=brought, tools=openai_tools(), previous_response_id=previous)
                previous = reply.id
                brought = tool_outputs(reply)
            answers.append(reply.output_text)
    return answers


# ---- openai-agents ----


def agent_of(client):
    from agents import Agent, OpenAIResponsesModel, function_tool

    model = OpenAIResponsesModel(model=MODEL, openai_client=client)
    return Agent(name="Assistant", instructions=SYSTEM, model=model, tools=[function_tool(weather)])


async def agents_turn(agent, brought, stream, **more):
    from agents import RunConfig, Runner

    config = RunConfig(tracing_disabled=True)
    if not stream:
        return await Runner.run(agent, brought, run_config=config, **more)
    result = Runner.run_streamed(agent, brought, run_config=config, **more)
    async for _ in result.stream_events():
        pass
    return result


def agents(base_url, headers, turns, stream):
    async def talk():
        items, answers = [], []
        async with async_openai(base_url, headers) as client:
            agent = agent_of(client)
            for turn in turns:
                result = await agents_turn(agent, [*items, {"role": "user", "content": turn}], stream)
                items = result.to_input_list()
                answers.append(result.final_output)
        return answers

    return asyncio.run(talk())


def agents_chained(base_url, headers, turns, stream):
    """Of a turn's tool loop only the outputs are sent."""

    async def talk():
        previous, answers = None, []
        async with async_openai(base_url, headers) as client:
            agent = agent_of(client)
            for turn in turns:
                chain = {"previous_response_id": previous} if previous else {"auto_previous_response_id": True}
                result = await agents_turn(agent, turn, stream, **chain)
                previous = result.last_response_id
                answers.append(result.final_output)
        return answers

    return asyncio.run(talk())


def agents_conversation(base_url, headers, turns, stream):
    async def talk():
        answers = []
        async with async_openai(base_url, headers) as client:
            agent = agent_of(client)
            id = (await client.conversations.create()).id
            for turn in turns:
                answers.append((await agents_turn(agent, turn, stream, conversation_id=id)).final_output)
        return answers

    return asyncio.run(talk())


# ---- pydantic-ai ----


async def pydantic_talk(model, turns, stream):
    from pydantic_ai import Agent

    agent = Agent(model, instructions=SYSTEM, tools=[weather])
    history, answers = None, []
    for turn in turns:
        result = await agent.run(turn, message_history=history, event_stream_handler=read_events if stream else None)
        answers.append(result.output)
        history = result.all_messages()
    return answers


async def read_events(_, events):
    async for _ in events:
        pass


def pydantic_openai(base_url, headers, turns, stream):
    from pydantic_ai.models.openai import OpenAIResponsesModel
    from pydantic_ai.providers.openai import OpenAIProvider

    async def talk():
        async with async_openai(base_url, headers) as client:
            return await pydantic_talk(OpenAIResponsesModel(MODEL, provider=OpenAIProvider(openai_client=client)), turns, stream)

    return asyncio.run(talk())


def pydantic_anthropic(base_url, headers, turns, stream):
    import anthropic
    from pydantic_ai.models.anthropic import AnthropicModel
    from pydantic_ai.providers.anthropic import AnthropicProvider

    async def talk():
        origin = base_url.removesuffix("/v1")
        async with anthropic.AsyncAnthropic(api_key="k", base_url=origin, default_headers=headers, max_retries=0) as client:
            return await pydantic_talk(AnthropicModel(MODEL, provider=AnthropicProvider(anthropic_client=client)), turns, stream)

    return asyncio.run(talk())


# ---- LangChain ----


def langchain_talk(model, turns, stream):
    from langchain_core.messages import HumanMessage, SystemMessage, ToolMessage
    from langchain_core.tools import tool

    model = model.bind_tools([tool(weather)])
    messages, answers = [SystemMessage(SYSTEM)], []
    for turn in turns:
        brought = [HumanMessage(turn)]
        while brought:
            messages += brought
            reply = langchain_reply(model, messages, stream)
            messages.append(reply)
            brought = [ToolMessage(weather(**c["args"]), tool_call_id=c["id"]) for c in reply.tool_calls]
        answers.append(reply.text)
    return answers


def langchain_reply(model, messages, stream):
    if not stream:
        return model.invoke(messages)
    parts = iter(model.stream(messages))
    reply = next(parts)
    for part in parts:
        reply += part
    return reply


def langchain_openai(base_url, headers, turns, stream):
    from langchain_openai import ChatOpenAI

    options = {"model": MODEL, "api_key": "test-key", "base_url": base_url, "default_headers": headers, "max_retries": 0}
    return langchain_talk(ChatOpenAI(use_responses_api=True, **options), turns, stream)


def langchain_openai_chained(base_url, headers, turns, stream):
    from langchain_openai import ChatOpenAI

    options = {"model": MODEL, "api_key": "test-key", "base_url": base_url, "default_headers": headers, "max_retries": 0}
    return langchain_talk(ChatOpenAI(use_responses_api=True, use_previous_response_id=True, **options), turns, stream)


def langchain_anthropic(base_url, headers, turns, stream):
    from langchain_anthropic import ChatAnthropic

    origin = base_url.removesuffix("/v1")
    options = {"model": MODEL, "api_key": "k", "base_url": origin, "default_headers": headers, "max_retries": 0}
    return langchain_talk(ChatAnthropic(**options), turns, stream)


# ---- the ollama SDK ----


def ollama_reply(client, messages, stream):
    import ollama

    said = client.chat(MODEL, messages, tools=[weather], stream=stream)
    parts = [part.message for part in (said if stream else [said])]
    calls = [call for part in parts for call in part.tool_calls or []]
    return ollama.Message(role="assistant", content="".join(part.content or "" for part in parts), tool_calls=calls or None)


def ollama_sdk(base_url, headers, turns, stream):
    import ollama

    client = ollama.Client(host=base_url.removesuffix("/v1"), headers=headers)
    messages, answers = [{"role": "system", "content": SYSTEM}], []
    for turn in turns:
        brought = [{"role": "user", "content": turn}]
        while brought:
            messages += brought
            reply = ollama_reply(client, messages, stream)
            messages.append(reply)
            calls = reply.tool_calls or []
            brought = [
                {"role": "tool", "tool_name": c.function.name, "content": weather(**c.function.arguments)} for c in calls
            ]
        answers.append(reply.content)
    return answers
