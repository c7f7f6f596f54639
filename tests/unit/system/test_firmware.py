"""What firmware and shim say."""

from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.support.efi_files import OF_SHIM, REQUESTED, lists_of, make_firmware, write_variable

from lkm.errors import Unreadable, UsageError
from lkm.formats.efi_signature_lists import SignatureEntry, SignatureType
from lkm.formats.efi_variables import Attributes
from lkm.system.firmware import FirmwareState, read_dump, read_firmware
from lkm.system.root import Root

EFI = "sys/firmware/efi"
EFIVARS = f"{EFI}/efivars"


def read(root: Path) -> FirmwareState:
    return read_firmware(Root(str(root)))


def data_of(entries: tuple[SignatureEntry, ...]) -> list[bytes]:
    return [entry.data for entry in entries]


def test_no_firmware(tmp_path: Path) -> None:
    state = read(tmp_path)
    assert state == FirmwareState()
    assert state.enforces is False


def test_secure_boot_with_everything(tmp_path: Path) -> None:
    hashes = {SignatureType.SHA256: [bytes(32)]}
    make_firmware(
        tmp_path, db=[b"db"], dbx=[b"dbx"], revoked=hashes, mok=[b"mok"], mok_denied=[b"no"], mok_new=[b"new"]
    )
    for name in ("PK", "KEK"):
        write_variable(tmp_path / EFIVARS, name, lists_of([name.encode()]))
    write_variable(tmp_path / EFIVARS, "SbatLevelRT", b"sbat,1,2022052400\ngrub,2\n")
    write_variable(tmp_path / EFIVARS, "VendorKeys", b"\0")
    state = read(tmp_path)
    assert state.problems == ()
    assert (state.is_efi, state.secure_boot, state.setup_mode, state.enforces) == (True, True, False, True)
    assert (state.mok_validation_disabled, state.trusts_owner_keys, state.ignores_db) == (None, False, False)
    assert (data_of(state.db), data_of(state.dbx)) == ([b"db"], [b"dbx", bytes(32)])
    assert (data_of(state.pk), data_of(state.kek)) == ([b"PK"], [b"KEK"])
    assert (data_of(state.mok_list), data_of(state.mok_denied)) == ([b"mok"], [b"no"])
    assert (data_of(state.enrolling), state.requests) == ([b"new"], ("MokNew",))
    assert state.sbat_level == "sbat,1,2022052400\ngrub,2\n"
    assert state.vendor_keys is False
    assert state.sources["MokListRT"] == f"{tmp_path}/{EFI}/mok-variables/MokListRT"
    assert state.sources["db"].startswith(f"{tmp_path}/{EFIVARS}/db-d719")
    assert state.attributes["SecureBoot"] == OF_SHIM


@pytest.mark.parametrize(
    ("make", "secure_boot", "enforces"),
    [
        (make_firmware, True, True),
        (partial(make_firmware, secure_boot=False), False, False),
        (partial(make_firmware, secure_boot=None), False, False),
        (partial(make_firmware, setup_mode=True), True, False),
        (partial(make_firmware, validates=False), True, False),
    ],
)
def test_what_counts_as_on(
    tmp_path: Path,
    make: Callable[[Path], Path],
    secure_boot: bool,  # noqa: FBT001  a parameter of the test
    enforces: bool,  # noqa: FBT001  as above
) -> None:
    state = read(make(tmp_path))
    assert (state.secure_boot, state.enforces) == (secure_boot, enforces)


def test_no_variables_mounted(tmp_path: Path) -> None:
    (tmp_path / EFI).mkdir(parents=True)
    state = read(tmp_path)
    assert (state.is_efi, state.secure_boot, state.enforces) == (True, None, None)
    assert state.problems == (f"{tmp_path}/{EFIVARS}: no EFI variables are there",)


def test_shims_state_that_anybody_could_have_written(tmp_path: Path) -> None:
    make_firmware(tmp_path, has_table=False)
    path = write_variable(tmp_path / EFIVARS, "MokSBStateRT", b"\x01", REQUESTED)
    state = read(tmp_path)
    assert (state.mok_validation_disabled, state.enforces) == (None, True)
    assert state.problems == (f"{path}: anybody could have written this, so the kernel ignores it",)


def test_the_table_goes_before_the_variable(tmp_path: Path) -> None:
    make_firmware(tmp_path, mok=[b"table"], trusts_owner_keys=True)
    write_variable(tmp_path / EFIVARS, "MokListRT", lists_of([b"variable"]))
    state = read(tmp_path)
    assert (data_of(state.mok_list), state.trusts_owner_keys) == ([b"table"], True)


def test_a_damaged_table_and_the_variable(tmp_path: Path) -> None:
    make_firmware(tmp_path, mok=[b"first"])
    table = tmp_path / EFI / "mok-variables/MokListRT"
    table.write_bytes(table.read_bytes() + b"cut")
    write_variable(tmp_path / EFIVARS, "MokListRT", lists_of([b"first", b"variable"]))
    state = read(tmp_path)
    assert data_of(state.mok_list) == [b"first", b"variable"]
    assert state.problems == (f"{table}: a signature list cut short: 3 bytes are left (at offset 0x31)",)


def test_variables_cut_short(tmp_path: Path) -> None:
    make_firmware(tmp_path, db=[b"one"], has_table=False)
    efivars = tmp_path / EFIVARS
    db = next(efivars.glob("db-*"))
    db.write_bytes(db.read_bytes()[:-1])
    for name, data in (("SecureBoot", b""), ("SetupMode", b"\0\0")):
        write_variable(efivars, name, data)
    empty = write_variable(efivars, "KEK", b"")
    empty.write_bytes(b"\x07")
    state = read(tmp_path)
    assert (state.secure_boot, state.setup_mode, state.enforces, state.db, state.kek) == (None, None, None, (), ())
    assert len(state.problems) == 4
    for start in (f"{efivars}/KEK-", f"{efivars}/SecureBoot-", f"{efivars}/SetupMode-", f"{db}: a signature list of"):
        assert any(problem.startswith(start) for problem in state.problems)


def test_more_than_the_kernel_sees_without_a_table(tmp_path: Path) -> None:
    make_firmware(tmp_path, mok=[b"first"], has_table=False)
    write_variable(tmp_path / EFIVARS, "MokListRT1", lists_of([b"second"]))
    state = read(tmp_path)
    assert data_of(state.mok_list) == [b"first"]
    assert "only the first of shim's keys" in state.problems[0]


def test_requests(tmp_path: Path) -> None:
    make_firmware(tmp_path)
    for name in ("MokAuth", "MokDel", "MokDelAuth", "MokSB"):
        write_variable(tmp_path / EFIVARS, name, lists_of([b"x"]), REQUESTED)
    write_variable(tmp_path / EFIVARS, "MokIgnoreDB", b"\x01")
    state = read(tmp_path)
    assert state.requests == ("MokAuth", "MokDel", "MokSB")
    assert data_of(state.deleting) == [b"x"]
    assert state.ignores_db
    assert state.attributes["MokSB"] == Attributes(7)


def test_a_request_that_can_not_be_read_is_not_taken_for_another(tmp_path: Path) -> None:
    make_firmware(tmp_path, mok_new=[b"new"])
    [path] = (tmp_path / EFIVARS).glob("MokNew-*")
    path.write_bytes(b"\x07")
    state = read(tmp_path)
    assert state.requests == ("MokNew",)
    assert state.unread == {"MokNew"}


def test_a_name_of_another_vendor_is_another_variable(tmp_path: Path) -> None:
    make_firmware(tmp_path)
    (tmp_path / EFIVARS / "db-605dab50-e046-4300-abb6-3dd810dd8b23").write_bytes(bytes(4) + lists_of([b"no"]))
    assert read(tmp_path).db == ()


def test_an_apple_that_the_kernel_asks_nothing(tmp_path: Path) -> None:
    make_firmware(tmp_path)
    dmi = tmp_path / "sys/class/dmi/id"
    dmi.mkdir(parents=True)
    (dmi / "sys_vendor").write_text("Apple Inc.\n")
    (dmi / "product_name").write_text("MacBookPro16,1\n")
    assert read(tmp_path).is_apple_t2
    (dmi / "product_name").write_text("MacBookPro14,1\n")
    assert not read(tmp_path).is_apple_t2


def test_a_dump(tmp_path: Path) -> None:
    make_firmware(tmp_path, mok=[b"mok"], db=[b"db"])
    state = read_dump(str(tmp_path / EFI))
    assert (state.secure_boot, data_of(state.mok_list), data_of(state.db)) == (True, [b"mok"], [b"db"])
    flat = read_dump(str(tmp_path / EFIVARS))
    assert (flat.secure_boot, data_of(flat.mok_list), data_of(flat.db)) == (True, [b"mok"], [b"db"])
    assert read_dump(str(tmp_path / EFI / "mok-variables")).secure_boot is None


def test_a_dump_of_lists(tmp_path: Path) -> None:
    (tmp_path / "db.esl").write_bytes(lists_of([b"db"]))
    (tmp_path / "MokListRT").write_bytes(lists_of([b"mok"]))
    (tmp_path / "README").write_text("not a variable")
    state = read_dump(str(tmp_path))
    assert (data_of(state.db), data_of(state.mok_list), state.problems) == ([b"db"], [b"mok"], ())


@pytest.mark.parametrize("name", [".", "none", "file"])
def test_no_dump(tmp_path: Path, name: str) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(UsageError, match=r"no directory|no EFI variable"):
        read_dump(str(tmp_path / name))


def test_a_table_that_only_root_may_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    make_firmware(tmp_path, mok=[b"mok"], mok_denied=[b"no"], trusts_owner_keys=True)
    read_bytes = Root.read_bytes

    def refuse(root: Root, inside: str, *, limit: int) -> bytes:
        if "mok-variables" in inside:
            raise Unreadable("permission denied", where=inside, hint="run as root")
        return read_bytes(root, inside, limit=limit)

    monkeypatch.setattr(Root, "read_bytes", refuse)
    state = read(tmp_path)
    assert (data_of(state.mok_list), data_of(state.mok_denied), state.trusts_owner_keys) == ([b"mok"], [b"no"], True)
    assert state.problems == (f"/{EFI}/mok-variables/MokListRT: permission denied (run as root)",)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.binary(max_size=80), min_size=9, max_size=9))
def test_any_contents(tmp_path: Path, contents: list[bytes]) -> None:
    names = ("SecureBoot", "SetupMode", "MokSBStateRT", "db", "dbx", "MokListRT", "MokListXRT", "MokNew", "SbatLevelRT")
    for name, data in zip(names, contents, strict=True):
        write_variable(tmp_path / EFIVARS, name, b"").write_bytes(data)
        (tmp_path / EFI / "mok-variables").mkdir(exist_ok=True)
        (tmp_path / EFI / "mok-variables" / name).write_bytes(data)
    state = read(tmp_path)
    assert state.is_efi
    assert len(state.problems) < 30
