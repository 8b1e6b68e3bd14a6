"""What each model can do: the shipped records, and the orders and quotes made from them."""

import json
from importlib.resources import files
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from bot.catalog import Guidance, Model, ModelState, Policy, parse, seconds, shape_name
from bot.errors import OptionRefused, SettingsError

TEXT = files("bot").joinpath("catalog.json").read_text("utf-8")
SHIPPED = parse(TEXT)
KLING = SHIPPED["klingai:2@1"]
TURBO = SHIPPED["klingai:6@0"]
PRO = SHIPPED["klingai:6@1"]


def record(**changes: Any) -> dict[str, Any]:
    first: dict[str, Any] = json.loads(TEXT)[0]
    return first | changes


def model(**changes: Any) -> Model:
    (only,) = parse(json.dumps([record(**changes)])).values()
    return only


def refused(error: pytest.ExceptionInfo[OptionRefused]) -> tuple[str, str]:
    return error.value.option, error.value.allowed


# --- The shipped records -------------------------------------------------------------------------


def test_the_default_model_is_what_its_documentation_says() -> None:
    assert KLING.title == "Kling 1.5 Standard"
    assert KLING.state is ModelState.LIVE
    assert list(KLING.sizes) == [(1280, 720), (720, 720), (720, 1280)]
    assert list(KLING.durations) == [5, 10]
    assert KLING.prompt.policy is Policy.ABSENT
    assert KLING.negative_prompt.policy is Policy.ABSENT
    assert KLING.seed is None
    assert KLING.output_formats == ("MP4", "WEBM", "MOV")
    assert KLING.guidance == Guidance(least=0, most=1, step=0.01, default=0.5)
    assert (KLING.most_results, KLING.fps) == (4, 30)
    assert (KLING.picture.least_side, KLING.picture.most_side) == (300, 2048)


@pytest.mark.parametrize("name", SHIPPED)
def test_every_shipped_record_is_sound(name: str) -> None:
    one = SHIPPED[name]
    assert one.id == name
    assert "runware.ai/docs/models/" in one.source
    assert one.least_price_micro > 0
    for width, height in one.sizes:
        assert one.picture.least_side <= min(width, height)
        assert max(width, height) <= one.picture.most_side


def test_a_record_with_a_field_that_nobody_knows_is_refused() -> None:
    with pytest.raises(ValidationError, match="fsp"):
        model(fsp=30)


def test_a_record_without_a_price_for_a_duration_is_refused() -> None:
    with pytest.raises(ValidationError, match=r"no price for a duration of 7\.5, 10 s"):
        model(durations=[5, 7.5, 10], price_usd={"5": "0.1848"})


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"durations": []}, "at least 1 item"),
        ({"most_results": 0}, "greater than or equal to 1"),
        ({"most_results": 11}, "less than or equal to 10"),
        ({"price_usd": {"5": "0", "10": "1"}}, "greater than 0"),
        ({"price_usd": {"5": "NaN", "10": "1"}}, "finite number"),
        ({"price_usd_per_second": "0.04"}, "either price_usd or price_usd_per_second"),
        ({"price_usd": {}}, "either price_usd or price_usd_per_second"),
        ({"sizes": [[1280, 0]]}, "greater than 0"),
        ({"guidance": {"least": 0, "most": 1, "step": 0, "default": 0.5}}, "greater than 0"),
        ({"guidance": {"least": 0, "most": 1, "step": 0.1, "default": 2}}, "not within the range"),
        ({"prompt": {"policy": "optional", "least": 9, "most": 5}}, "least is above the most"),
        ({"prompt": {"policy": "sometimes"}}, "'absent', 'optional' or 'required'"),
        ({"seed": {"least": 0, "most": 2**64}}, "less than or equal to"),
    ],
)
def test_a_record_that_makes_no_sense_is_refused(changes: dict[str, Any], reason: str) -> None:
    with pytest.raises(ValidationError, match=reason):
        model(**changes)


def test_a_record_cannot_be_changed() -> None:
    with pytest.raises(ValidationError, match="frozen"):
        KLING.fps = 24


# --- Orders --------------------------------------------------------------------------------------


def test_an_order_without_any_option_has_the_defaults_of_the_model() -> None:
    order = KLING.order(size=(1280, 720))
    assert (order.model, order.width, order.height) == ("klingai:2@1", 1280, 720)
    assert (order.duration, order.results, order.guidance) == (5, 1, 0.5)
    assert (order.prompt, order.negative_prompt) == (None, None)


def test_where_the_size_follows_the_picture_an_order_names_none() -> None:
    order = TURBO.order(size=None, prompt="it snows")
    assert (order.width, order.height) == (None, None)


@pytest.mark.parametrize(
    ("options", "option", "allowed"),
    [
        ({"duration": 7.0}, "duration", "5 or 10 seconds"),
        ({"duration": float("nan")}, "duration", "5 or 10 seconds"),
        ({"results": 0}, "results", "1 to 4"),
        ({"results": 5}, "results", "1 to 4"),
        ({"size": (640, 480)}, "shape", "wide 16:9, square 1:1, tall 9:16"),
        ({"guidance": -0.01}, "guidance", "0 to 1"),
        ({"guidance": 1.01}, "guidance", "0 to 1"),
        ({"guidance": float("nan")}, "guidance", "0 to 1"),
        ({"prompt": "it snows"}, "prompt", "nothing; this model takes no prompt"),
        ({"negative_prompt": "rain"}, "negative", "nothing; this model takes no negative prompt"),
    ],
)
def test_an_option_outside_the_model_is_refused_with_what_it_takes(
    options: dict[str, Any], option: str, allowed: str
) -> None:
    with pytest.raises(OptionRefused) as error:
        KLING.order(**({"size": None} | options))
    assert refused(error) == (option, allowed)


def test_a_model_without_guidance_takes_none() -> None:
    plain = model(guidance=None)
    assert plain.order(size=None).guidance is None
    with pytest.raises(OptionRefused, match="this model has none"):
        plain.order(size=None, guidance=0.5)


@given(st.floats(0, 1))
def test_guidance_is_sent_on_a_step_that_its_record_knows(value: float) -> None:
    assert KLING.guidance is not None
    assert KLING.guidance.allows(KLING.guidance.nearest(value), is_exact=True)


@given(st.floats(0, 1))
def test_guidance_is_brought_to_the_nearest_step(value: float) -> None:
    guidance = KLING.order(size=None, guidance=value).guidance
    assert guidance is not None
    assert 0 <= guidance <= 1
    assert abs(guidance - value) <= 0.005 + 1e-6
    assert f"{guidance:.2f}" == f"{guidance:.6f}"[:4]


@pytest.mark.parametrize("text", [None, "", "   ", "x", " x ", "x" * 2501])
def test_a_model_that_needs_a_prompt_refuses_none_and_one_of_the_wrong_length(
    text: str | None,
) -> None:
    with pytest.raises(OptionRefused) as error:
        TURBO.order(size=None, prompt=text)
    assert refused(error) == ("prompt", "2 to 2500 characters")


def test_prompts_are_taken_without_the_blanks_around_them() -> None:
    order = TURBO.order(size=None, prompt="  it snows\n", negative_prompt="  ")
    assert (order.prompt, order.negative_prompt) == ("it snows", None)
    assert TURBO.order(size=None, prompt="it snows", negative_prompt=" rain ").negative_prompt == (
        "rain"
    )


def test_where_a_prompt_is_optional_an_empty_one_is_none_and_a_long_one_is_refused() -> None:
    free = model(prompt={"policy": "optional", "most": 5})
    assert free.order(size=None, prompt=" ").prompt is None
    assert free.order(size=None, prompt="snow").prompt == "snow"
    with pytest.raises(OptionRefused, match="1 to 5 characters"):
        free.order(size=None, prompt="heavy snow")


def test_a_seed_is_refused_by_a_model_that_chooses_its_own_and_outside_the_range() -> None:
    with pytest.raises(OptionRefused, match="chooses its own"):
        KLING.order(size=None, seed=1)
    seeded = model(seed={"least": 1, "most": 100})
    assert seeded.order(size=None, seed=100).seed == 100
    with pytest.raises(OptionRefused, match="1 to 100"):
        seeded.order(size=None, seed=0)


# --- The operator's own records ------------------------------------------------------------------


def with_own(*records: Any) -> dict[str, Model]:
    return parse(TEXT, json.dumps(records))


def told(*records: Any) -> tuple[str, ...]:
    with pytest.raises(SettingsError) as error:
        with_own(*records)
    return error.value.problems


def test_an_own_record_overrides_single_fields_of_ours_and_leaves_the_rest() -> None:
    models = with_own({"id": "klingai:2@1", "state": "retired", "most_results": 2})
    expected = KLING.model_copy(update={"state": ModelState.RETIRED, "most_results": 2})
    assert models == SHIPPED | {"klingai:2@1": expected}


def test_an_own_record_adds_a_model() -> None:
    models = with_own(record(id="acme:1@1", title="Acme"))
    assert list(models) == [*SHIPPED, "acme:1@1"]
    assert models["acme:1@1"].durations == KLING.durations


def test_an_own_price_of_either_kind_takes_the_place_of_ours() -> None:
    cheaper = with_own({"id": "klingai:2@1", "price_usd_per_second": "0.03"})["klingai:2@1"]
    assert [cheaper.price_micro(duration) for duration in cheaper.durations] == [150_000, 300_000]
    dearer = with_own({"id": "klingai:6@0", "price_usd": {"5": 1, "10": "1.50"}})["klingai:6@0"]
    assert [dearer.price_micro(duration) for duration in dearer.durations] == [1_000_000, 1_500_000]


def test_every_problem_is_told_by_record_and_field() -> None:
    assert told(
        {"id": "klingai:2@1", "durations": [5, -1], "colour": "red"},
        {"id": "klingai:6@0", "price_usd": {"5": "0.2"}},
        {"title": "Nameless"},
    )[:3] == (
        "ANIMATE_CATALOG: record klingai:2@1, field durations.1: input should be greater than 0.",
        "ANIMATE_CATALOG: record klingai:2@1, field colour: extra inputs are not permitted.",
        "ANIMATE_CATALOG: record klingai:6@0: no price for a duration of 10 s.",
    )
    assert "ANIMATE_CATALOG: record number 1, field id: field required." in told({"title": "x"})


@pytest.mark.parametrize("text", ["", "{", '{"id": "klingai:2@1"}', "[5]", '"klingai:2@1"'])
def test_what_is_no_list_of_records_is_said_to_be_none(text: str) -> None:
    with pytest.raises(SettingsError, match="ANIMATE_CATALOG: is no list of records"):
        parse(TEXT, text)


def test_an_empty_list_changes_nothing() -> None:
    assert with_own() == SHIPPED


# --- Prices and names ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("duration", "results", "quote"),
    [(5, 1, 184_800), (10, 1, 369_600), (5, 4, 739_200), (10, 4, 1_478_400)],
)
def test_a_quote_is_the_price_of_the_duration_times_the_clips(
    duration: float, results: int, quote: int
) -> None:
    order = KLING.order(size=None, duration=duration, results=results)
    assert KLING.quote_micro(order) == quote


@pytest.mark.parametrize(
    ("one", "five", "ten"), [(TURBO, 210_000, 420_000), (PRO, 350_000, 700_000)]
)
def test_a_price_by_the_second_is_multiplied_exactly(one: Model, five: int, ten: int) -> None:
    assert (one.price_micro(5), one.price_micro(10)) == (five, ten)
    assert one.quote_micro(one.order(size=None, prompt="it snows", results=3)) == 3 * five


def test_shapes_that_share_a_name_are_told_apart_by_their_size() -> None:
    both = model(sizes=[[1280, 720], [1920, 1080], [720, 720]])
    assert both.shapes == {
        "wide 16:9 720p": (1280, 720),
        "wide 16:9 1080p": (1920, 1080),
        "square 1:1": (720, 720),
    }


def test_the_least_price_is_that_of_the_cheapest_clip() -> None:
    assert KLING.least_price_micro == 184_800


@pytest.mark.parametrize(
    ("width", "height", "name"),
    [
        (1280, 720, "wide 16:9"),
        (720, 1280, "tall 9:16"),
        (720, 720, "square 1:1"),
        (1024, 768, "wide 4:3"),
    ],
)
def test_shapes_are_named_as_people_choose_them(width: int, height: int, name: str) -> None:
    assert shape_name(width, height) == name


def test_every_shape_of_a_shipped_model_has_a_name_of_its_own() -> None:
    for one in SHIPPED.values():
        assert len(one.shapes) == len(one.sizes)
        assert set(one.shapes.values()) == set(one.sizes)


@pytest.mark.parametrize(("duration", "text"), [(5, "5"), (5.0, "5"), (7.5, "7.5"), (10, "10")])
def test_durations_are_written_as_in_the_price_list(duration: float, text: str) -> None:
    assert seconds(duration) == text
