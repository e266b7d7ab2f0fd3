"""Emails from templates."""

from __future__ import annotations

from pathlib import Path

import pytest

from jobfleet.actors.email_templates import Content, EmailTemplates
from jobfleet.broker.errors import PermanentFailure


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "orders").mkdir()
    (tmp_path / "orders" / "shipped.txt").write_text("Dear {{ name }}")
    (tmp_path / "orders" / "shipped.html").write_text("<p>Dear {{ name }}</p>")
    (tmp_path / "plain.txt").write_text("only text")
    (tmp_path / "broken.txt").write_text("{% if %}")
    (tmp_path / "needy.txt").write_text("{% include 'nowhere.txt' %}")
    (tmp_path / "failing.txt").write_text("{{ 1 / 0 }}")
    return tmp_path


def test_values_are_escaped_in_html_and_left_alone_in_text(folder: Path) -> None:
    content = EmailTemplates(folder).render("orders/shipped", {"name": "<b>Ada</b> & Co"})

    assert content == Content(text="Dear <b>Ada</b> & Co", html="<p>Dear &lt;b&gt;Ada&lt;/b&gt; &amp; Co</p>")


def test_one_form_is_enough(folder: Path) -> None:
    assert EmailTemplates(folder).render("plain", {}) == Content(text="only text", html=None)


@pytest.mark.parametrize(
    ("name", "sentence"),
    [
        ("nowhere", "there is no template nowhere: neither nowhere.txt nor nowhere.html"),
        ("orders/shipped", "cannot be filled in: 'name' is undefined"),
        ("broken", "template broken.txt is wrong"),
        ("needy", "nowhere.txt"),
        ("failing", "cannot be filled in: division by zero"),
        ("../plain", "there is no template"),
    ],
)
def test_what_no_further_attempt_can_mend_is_permanent(folder: Path, name: str, sentence: str) -> None:
    with pytest.raises(PermanentFailure) as caught:
        EmailTemplates(folder).render(name, {})
    assert sentence in str(caught.value)


def test_a_template_comes_with_jobfleet_and_an_application_may_replace_it(tmp_path: Path) -> None:
    values = {
        "title": "Welcome",
        "text": "Hello <you>",
        "action": {"label": "Start", "url": "https://example.com/?a=1&b=2"},
    }

    shipped = EmailTemplates(None).render("message", values)
    (tmp_path / "message.txt").write_text("our own: {{ title }}")

    assert shipped.text == "Welcome\n\nHello <you>\n\nStart: https://example.com/?a=1&b=2\n"
    assert shipped.html is not None
    assert "Hello &lt;you&gt;" in shipped.html
    assert 'href="https://example.com/?a=1&amp;b=2"' in shipped.html
    assert EmailTemplates(tmp_path).render("message", values).text == "our own: Welcome"
