from tests.outbound.attempts import addresses


def test_every_address_of_the_table_comes_out_as_expected() -> None:
    rows = list(addresses())
    assert [row[0] for row, is_right in rows if not is_right] == []
    assert len(rows) > 80
