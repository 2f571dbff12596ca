"""Models are called as people call them, and never two the same."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from quota_enforcer.insight.report.model_names import model_names


@pytest.mark.parametrize(
    ("model", "name"),
    [
        ("anthropic.claude-sonnet-4-5-20250929-v1:0", "Claude Sonnet 4.5"),
        ("anthropic.claude-sonnet-4-6", "Claude Sonnet 4.6"),
        ("anthropic.claude-opus-4-6-v1", "Claude Opus 4.6"),
        ("anthropic.claude-opus-4-20250514-v1:0", "Claude Opus 4"),
        ("anthropic.claude-3-5-sonnet-20240620-v1:0", "Claude 3.5 Sonnet"),
        ("anthropic.claude-3-5-sonnet-20241022-v2:0", "Claude 3.5 Sonnet v2"),
        ("anthropic.claude-3-haiku-20240307-v1:0:48k", "Claude 3 Haiku 48k"),
        ("anthropic.claude-v2:1", "Claude v2.1"),
        ("anthropic.claude-instant-v1", "Claude Instant"),
        ("amazon.nova-pro-v1:0", "Nova Pro"),
        ("amazon.nova-2-lite-v1:0", "Nova 2 Lite"),
        ("amazon.titan-embed-text-v2:0", "Titan Embed Text v2"),
        ("meta.llama3-3-70b-instruct-v1:0", "Llama 3.3 70B Instruct"),
        ("mistral.mistral-large-2407-v1:0", "Mistral Large (24.07)"),
        ("mistral.mixtral-8x7b-instruct-v0:1", "Mixtral 8x7B Instruct"),
        ("cohere.command-r-plus-v1:0", "Command R+"),
        ("cohere.rerank-v3-5:0", "Rerank v3.5"),
        ("deepseek.r1-v1:0", "DeepSeek R1"),
        ("deepseek.v3.2", "DeepSeek V3.2"),
        ("openai.gpt-oss-120b-1:0", "GPT OSS 120B"),
        ("qwen.qwen3-coder-480b-a35b-v1:0", "Qwen 3 Coder 480B A35B"),
        ("stability.sd3-5-large-v1:0", "SD 3.5 Large"),
        ("moonshot.kimi-k2-thinking", "Kimi K2 Thinking"),
    ],
)
def test_a_model_is_called_as_people_call_it(model: str, name: str) -> None:
    assert model_names([model]) == {model: name}


@pytest.mark.parametrize(
    "model",
    ["custom-model/9f2k1x7a", "", ".", "a.", "a.-", "a.20250929", "<b>x</b>", "arn:aws:bedrock:x"],
)
def test_what_is_not_known_keeps_its_id(model: str) -> None:
    assert model_names([model]) == {model: model}


def test_two_that_would_be_called_the_same_keep_their_ids() -> None:
    two = ["mistral.mistral-7b-instruct-v0:2", "mistral.mistral-7b-instruct-v0:3"]
    assert model_names([*two, "amazon.nova-pro-v1:0"]) == {
        two[0]: two[0], two[1]: two[1], "amazon.nova-pro-v1:0": "Nova Pro",
    }  # fmt: skip


@given(st.sets(st.from_regex(r"[a-z]{1,3}\.[a-z0-9.:-]{0,12}", fullmatch=True) | st.text()))
def test_every_id_has_a_name_of_its_own(ids: set[str]) -> None:
    names = model_names(ids)
    assert names.keys() == ids
    assert len(set(names.values())) == len(ids)
    assert all(name or not model for model, name in names.items())
