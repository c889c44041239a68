from antiphon_server.web.links import LIVES_S, Links, make_link

KEY, OTHER = "antk_one", "antk_other"
NOW = 1_800_000_000.0


def links(now: float = NOW) -> Links:
    return Links(lambda: now)


def test_a_link_is_taken_once() -> None:
    """Whoever comes second is not let in."""
    taken, link = links(), make_link(KEY, NOW)
    assert [taken.redeem(link, KEY), taken.redeem(link, KEY)] == [True, False]


def test_links_differ() -> None:
    """Each is good for itself, also where they are made in one second."""
    taken = links()
    assert all(taken.redeem(make_link(KEY, NOW), KEY) for _ in range(3))


def test_a_link_lives_for_ten_minutes() -> None:
    """What stands in an old terminal lets nobody in, nor what somebody dated ahead."""
    link = make_link(KEY, NOW)
    assert links(NOW + LIVES_S - 1).redeem(link, KEY)
    assert not links(NOW + LIVES_S).redeem(link, KEY)
    assert not links(NOW - 60).redeem(link, KEY)


def test_a_link_is_its_keys() -> None:
    """Without the operator's key nobody makes one, or changes one."""
    link = make_link(OTHER, NOW)
    assert not links().redeem(link, KEY)
    good = make_link(KEY, NOW)
    for at in range(len(good) - 1):  # the last letter's low bits are padding
        changed = good[:at] + ("A" if good[at] != "A" else "B") + good[at + 1 :]
        assert not links().redeem(changed, KEY)


def test_what_is_no_link() -> None:
    """Nonsense is refused, whatever its length and letters."""
    for link in ("", "A", "=", "å" * 80, "A" * 75, "A" * 76, "A" * 10_000):
        assert not links().redeem(link, KEY)
