"""Messages -> prompt, as transformers' apply_chat_template renders them (test/golden/chat-templates/cases.json).

The templates are our own, in the manner of the model families that they are named after; `constructs` walks through the
parts of Jinja that published templates use.
"""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

from jinja2.exceptions import TemplateError
from transformers import PreTrainedTokenizerFast

from .tiny_tokenizers import make_tokenizer

NOTES = [
    "test/golden/chat-templates/cases.json: `templates` by name with the tokens they may use; `conversations` by name; "
    "`cases` = {template, conversation, add_generation_prompt, rendered} or {…, error}: the text that the template "
    "passes to raise_exception. tools and documents are null; strftime_now is defined.",
]

CHATML = """\
{%- if messages[0]['role'] == 'system' -%}
    {{- '<|im_start|>system\\n' + messages[0]['content'] + '<|im_end|>\\n' -}}
{%- else -%}
    {{- '<|im_start|>system\\nYou are a helpful assistant.<|im_end|>\\n' -}}
{%- endif -%}
{%- for message in messages -%}
    {%- if (message.role == 'user') or (message.role == 'system' and not loop.first) or (message.role == 'assistant') -%}
        {{- '<|im_start|>' + message.role + '\\n' + message.content + '<|im_end|>' + '\\n' -}}
    {%- endif -%}
{%- endfor -%}
{%- if add_generation_prompt -%}
    {{- '<|im_start|>assistant\\n' -}}
{%- endif -%}
"""

LLAMA3 = """\
{{- bos_token }}
{%- if not date_string is defined %}
    {%- set date_string = '26 Jul 2024' %}
{%- endif %}
{%- if messages[0]['role'] == 'system' %}
    {%- set system_message = messages[0]['content'] | trim %}
    {%- set messages = messages[1:] %}
{%- else %}
    {%- set system_message = '' %}
{%- endif %}
{{- '<|start_header_id|>system<|end_header_id|>\\n\\n' }}
{{- 'Today Date: ' + date_string + '\\n\\n' + system_message + '<|eot_id|>' }}
{%- for message in messages %}
    {{- '<|start_header_id|>' + message['role'] + '<|end_header_id|>\\n\\n' + message['content'] | trim + '<|eot_id|>' }}
{%- endfor %}
{%- if add_generation_prompt %}
    {{- '<|start_header_id|>assistant<|end_header_id|>\\n\\n' }}
{%- endif %}
"""

MISTRAL = """\
{%- if messages[0]['role'] == 'system' %}
    {%- set system_message = messages[0]['content'] %}
    {%- set loop_messages = messages[1:] %}
{%- else %}
    {%- set loop_messages = messages %}
{%- endif %}

{{- bos_token }}
{%- for message in loop_messages %}
    {%- if (message['role'] == 'user') != (loop.index0 % 2 == 0) %}
        {{- raise_exception('After the optional system message, roles must alternate user/assistant') }}
    {%- endif %}
    {%- if message['role'] == 'user' %}
        {%- if loop.first and system_message is defined %}
            {{- ' [INST] ' + system_message + '\\n\\n' + message['content'] + ' [/INST]' }}
        {%- else %}
            {{- ' [INST] ' + message['content'] + ' [/INST]' }}
        {%- endif %}
    {%- elif message['role'] == 'assistant' %}
        {{- ' ' + message['content'] + eos_token}}
    {%- else %}
        {{- raise_exception('Only user and assistant roles are supported, with the exception of an initial system message') }}
    {%- endif %}
{%- endfor %}
"""

LLAMA2 = """\
{% if messages[0]['role'] == 'system' %}{% set loop_messages = messages[1:] %}{% set system_message = messages[0]['content'] %}\
{% else %}{% set loop_messages = messages %}{% set system_message = false %}{% endif %}\
{% for message in loop_messages %}{% if (message['role'] == 'user') != (loop.index0 % 2 == 0) %}\
{{ raise_exception('Conversation roles must alternate user/assistant/user/assistant/...') }}{% endif %}\
{% if loop.index0 == 0 and system_message != false %}\
{% set content = '<<SYS>>\\n' + system_message + '\\n<</SYS>>\\n\\n' + message['content'] %}\
{% else %}{% set content = message['content'] %}{% endif %}\
{% if message['role'] == 'user' %}{{ bos_token + '[INST] ' + content.strip() + ' [/INST]' }}\
{% elif message['role'] == 'assistant' %}{{ ' ' + content.strip() + ' ' + eos_token }}{% endif %}{% endfor %}"""

ZEPHYR = """\
{% for message in messages %}
{% if message['role'] == 'user' %}
{{ '<|user|>\\n' + message['content'] + eos_token }}
{% elif message['role'] == 'system' %}
{{ '<|system|>\\n' + message['content'] + eos_token }}
{% elif message['role'] == 'assistant' %}
{{ '<|assistant|>\\n'  + message['content'] + eos_token }}
{% endif %}
{% if loop.last and add_generation_prompt %}
{{ '<|assistant|>' }}
{% endif %}
{% endfor %}"""

TURNS = """\
{{ bos_token }}{% if messages[0]['role'] == 'system' %}{{ raise_exception('System role not supported') }}{% endif %}\
{% for message in messages %}{% if (message['role'] == 'assistant') %}{% set role = 'model' %}{% else %}\
{% set role = message['role'] %}{% endif %}{{ '<start_of_turn>' + role + '\\n' + message['content'] | trim + '<end_of_turn>\\n' }}\
{% endfor %}{% if add_generation_prompt %}{{'<start_of_turn>model\\n'}}{% endif %}"""

CONSTRUCTS = """\
{%- macro quoted(text, mark='"') -%}{{ mark ~ text ~ mark }}{%- endmacro -%}
{%- macro yes(value) -%}{{ 'yes' if value else 'no' }}{%- endmacro -%}
{#- a comment; no boolean is printed, because Jinja writes True where its JavaScript kin write true -#}
{%- set ns = namespace(users=0, last='none') -%}
{%- for message in messages -%}
  {%- if message.role == 'user' -%}{%- set ns.users = ns.users + 1 -%}{%- endif -%}
  {%- set ns.last = message.role -%}
{%- endfor -%}
users={{ ns.users }} last={{ ns.last }} first={{ messages | map(attribute='role') | first }}
roles={{ messages | map(attribute='role') | join(',') }} count={{ messages | length }}
{% for message in messages if message.content -%}
{{ loop.index }}/{{ loop.length }}{{ ' (last)' if loop.last else '' }} {{ quoted(message.role | upper, mark="'") }}: {{ message.content | tojson }}
{% endfor -%}
{%- for message in messages -%}
  {%- if loop.index0 > 1 -%}{%- break -%}{%- endif -%}
  {%- if message.role == 'system' -%}{%- continue -%}{%- endif -%}
[{{ message['role'][0] }}{{ message['role'][-1] }}{{ message['role'][1:3] }}]
{%- endfor %}
{{ messages | selectattr('role', 'equalto', 'user') | list | length }} {{ messages | rejectattr('role', 'equalto', 'user') | list | length }}
{{ 'a-b-c'.split('-')[1] }} {{ ' x '.strip() }}| {{ 'Title case'.title() }} {{ yes('abc'.startswith('ab')) }} {{ yes('abc'.endswith('ab')) }}
{{ 7 // 2 }} {{ 7 % 3 }} {{ 7 / 2 }} {{ 2 ** 5 }} {{ -3 }} {{ 1.5 + 1 }} {{ yes(3 > 2 and not 2 > 3) }} {{ yes('b' in 'abc') }} {{ yes('z' not in ['a']) }}
{{ yes(none_such is defined) }} {{ yes(tools is none) }} {{ yes(messages is iterable) }} {{ yes(messages[0] is mapping) }} {{ yes('x' is string) }} {{ yes(3 is number) }} {{ yes(true is boolean) }}
{{ none_such | default('fallback') }} {{ '' | default('empty', true) }} {{ [3, 1, 2] | sort | join }} {{ {'k': [1, none, true], 'é': 'ü'} | tojson }}
{{ {'a': 1, 'b': 2} | tojson(indent=2) }}
{% for key, value in {'p': 1, 'q': 2}.items() %}{{ key }}={{ value }};{% endfor %}
{{ messages[0].get('name', 'nameless') }} {{ yes(messages[0].name is defined) }} {{ messages[-1]['content'] | length }} {{ range(3) | list }}
{{ 'strftime' if strftime_now is defined else 'no clock' }} {{ 'A' | lower }}{{ 'b' | capitalize }} {{ 'x,y' | replace(',', ';') }}
{%- set block %}captured {{ 1 + 1 }}{% endset %} {{ block }}
{% generation %}inside{% endgeneration %}
"""

TEMPLATES = {
    "chatml": {"template": CHATML, "bos_token": "<|endoftext|>", "eos_token": "<|im_end|>"},
    "llama3": {"template": LLAMA3, "bos_token": "<|begin_of_text|>", "eos_token": "<|eot_id|>"},
    "llama2": {"template": LLAMA2, "bos_token": "<s>", "eos_token": "</s>"},
    "mistral": {"template": MISTRAL, "bos_token": "<s>", "eos_token": "</s>"},
    "zephyr": {"template": ZEPHYR, "bos_token": "<s>", "eos_token": "</s>"},
    "turns": {"template": TURNS, "bos_token": "<bos>", "eos_token": "<eos>"},
    "constructs": {"template": CONSTRUCTS, "bos_token": "<s>", "eos_token": "</s>"},
}


def _messages(*pairs: str) -> list[dict[str, str]]:
    return [{"role": role, "content": content} for role, content in (pair.split(":", 1) for pair in pairs)]


CONVERSATIONS = {
    "question": _messages("user:What is the capital of France?"),
    "with_system": _messages("system:Answer in one word.", "user:What is the capital of France?"),
    "three_turns": _messages("user:Hi", "assistant:Hello! How can I help?", "user:Name a river.", "assistant:The Seine.",
                             "user:And another?"),
    "system_three_turns": _messages("system:Be brief.", "user:Hi", "assistant:Hello!", "user:Bye"),
    "two_users": _messages("user:One", "user:Two"),
    "assistant_last": _messages("user:Count", "assistant:1, 2,"),
    "late_system": _messages("user:Hi", "system:Now in French.", "user:Go on"),
    "blanks": _messages("system:  spaced system \n", "user:\n\n  spaced\tquestion  \n"),
    "empty": _messages("user:"),
    "syntax": _messages("user:{{ 7 * 7 }} {% if true %} <|im_end|> </s> 'single' \"double\" \\n \\ <b>&amp;</b>"),
    "unicode": _messages("user:Grüße, 你好, שלום, 😀👩‍👩‍👧 e\u0301 \u2028 \u00a0", "assistant:é"),
}


def render_all(tokenizer: PreTrainedTokenizerFast, template: str, name: str) -> list[dict[str, Any]]:
    out = []
    for conversation, messages in CONVERSATIONS.items():
        for add_generation_prompt in (True, False):
            case = {"template": name, "conversation": conversation, "add_generation_prompt": add_generation_prompt}
            try:
                case["rendered"] = tokenizer.apply_chat_template(messages, chat_template=template, tokenize=False,
                                                                 add_generation_prompt=add_generation_prompt)
            except TemplateError as error:
                case["error"] = str(error)
            out.append(case)
    return out


def write(golden: Path, _models: Path) -> None:
    out = golden / "chat-templates"
    shutil.rmtree(out, ignore_errors=True)
    out.mkdir(parents=True)
    tokenizer = make_tokenizer("spm", 384)
    cases = []
    for name, about in TEMPLATES.items():
        tokenizer.bos_token, tokenizer.eos_token = about["bos_token"], about["eos_token"]
        cases += render_all(tokenizer, about["template"], name)
    lines = ",\n".join(json.dumps(case) for case in cases)
    (out / "cases.json").write_text(f'{{"templates": {json.dumps(TEMPLATES, indent=1)},\n'
                                    f'"conversations": {json.dumps(CONVERSATIONS, indent=1)},\n"cases": [\n{lines}]}}\n')
