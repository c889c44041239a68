"""The texts of forms that people are shown."""

import json

from antiphon_server.runtime.encoding.form_texts import FormTexts
from antiphon_server.runtime.encoding.forms import shown_form

FORM = shown_form(
    {
        "properties": {
            "title": {"type": "string", "title": "Its name", "format": "email", "maxLength": 9},
            "taste": {
                "type": "string",
                "description": "Sweet?",
                "oneOf": [{"const": "l", "title": "lemon"}, {"const": "type"}],
                "default": "l",
            },
            "sizes": {
                "type": "array",
                "items": {"enum": ["S", "M"]},
                "default": ["S"],
                "minItems": 1,
            },
            "odd": {"type": "string", "format": "of my own", "enum": ["x"], "enumNames": ["an X"]},
            "sure": {"type": "boolean", "default": True},
        },
        "required": ["title"],
    }
)


def test_all_is_there_but_the_words_of_forms() -> None:
    """What can be cut has as many bytes as before; by all else answers are told apart."""
    texts = FormTexts(FORM).texts
    assert [text for text, most in texts if most] == ["Its name", "Sweet?", "lemon", "type", "an X"]
    fixed = [text for text, most in texts if not most]
    assert fixed == [
        *("title", "9", "taste", "l", "l", "type"),
        *("sizes", "1", "S", "S", "M", "odd", "of my own", "x", "sure"),
    ]


def test_others_stand_in_their_places() -> None:
    """It is a form as before."""
    form = FormTexts(FORM)
    assert json.loads(form.with_texts([it for it, _ in form.texts])) == json.loads(FORM)
    cut = [f"({it})" if most else it for it, most in form.texts]
    fields = json.loads(form.with_texts(cut))["properties"]
    assert fields["title"]["title"] == "(Its name)"
    assert fields["taste"]["oneOf"][1] == {"const": "type", "title": "(type)"}
    assert fields["sizes"] == json.loads(FORM)["properties"]["sizes"]
    assert shown_form({"properties": fields}) == form.with_texts(cut).replace(
        '"required": ["title"]', '"required": []'
    )
