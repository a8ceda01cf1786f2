"""What a reason code means, in the language that is asked for."""

from filters.model.meaning import Meaning, titled


def test_words_of_a_language_that_is_not_there_are_english() -> None:
    meaning = Meaning(403, {"en": ("Title", "Detail."), "zh": ("标题", "说明。")})
    assert meaning.told("zh") == ("标题", "说明。")
    assert meaning.told("fr") == meaning.told() == ("Title", "Detail.")


def test_a_title_may_say_everything() -> None:
    meaning = titled(400, "Title", "标题")
    assert meaning.told("en") == ("Title", "")
    assert meaning.told("zh") == ("标题", "")
