"""What the firmware says that modules depend on: Secure Boot, its lists of keys, and those of the machine's owner.

It comes from efivarfs and from the table that shim hands over, of any root, or from a directory that somebody copied
them to. shim keeps the owner's lists where no running system can write them (MokList), and hands out copies of what it
used at this start (MokListRT); what mokutil asks for waits in MokNew and its like until the next start (mok.c and
MokManager.c of shim 15).
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TypeVar

from lkm.errors import FormatError, Unreadable, UsageError
from lkm.formats import efi_signature_lists, efi_variables
from lkm.formats.efi_signature_lists import SignatureEntry
from lkm.formats.efi_variables import GLOBAL, IMAGE_SECURITY, SHIM_LOCK, Attributes
from lkm.system.efi_variable_files import FoundVariable, VariableFiles
from lkm.system.root import Root

__all__ = ["EFIVARS", "MOK_VARIABLES", "REQUESTS", "FirmwareState", "read_dump", "read_firmware"]

EFIVARS = "/sys/firmware/efi/efivars"
MOK_VARIABLES = "/sys/firmware/efi/mok-variables"

REQUESTS = {
    "MokNew": "enrol keys",
    "MokAuth": "forget all keys that were enrolled",
    "MokDel": "delete keys",
    "MokXNew": "deny keys or hashes",
    "MokXAuth": "forget all that was denied",
    "MokXDel": "no longer deny keys or hashes",
    "MokSB": "turn validation by shim on or off",
    "MokDB": "use the firmware's db or ignore it",
    "MokPW": "set a password for MokManager",
    "MokListTrustedNew": "trust the owner's keys, or no longer",
}
"""The variables in which mokutil leaves requests to MokManager, and what each asks for."""

_EFI = "/sys/firmware/efi"
_VENDOR, _MODEL = "/sys/class/dmi/id/sys_vendor", "/sys/class/dmi/id/product_name"
_GLOBAL = ("SecureBoot", "SetupMode", "PK", "KEK", "VendorKeys")
_LISTS = ("db", "dbx")
_OF_SHIM = (
    *("MokListRT", "MokListRT1", "MokListXRT", "MokListTrustedRT"),
    *("MokSBState", "MokSBStateRT", "MokIgnoreDB", "SbatLevelRT"),
)
_WITH_PASSWORD = frozenset({"MokAuth", "MokXAuth", "MokPW"})  # hashes of passwords: nobody's business
_GUIDS = (
    dict.fromkeys(_GLOBAL, GLOBAL)
    | dict.fromkeys(_LISTS, IMAGE_SECURITY)
    | dict.fromkeys((*_OF_SHIM, *REQUESTS, *_WITH_PASSWORD), SHIM_LOCK)
)
# Apple's computers with a T2 chip, of which the kernel reads no keys: their firmware crashes when asked for them
# (security/integrity/platform_certs/load_uefi.c ``uefi_skip_cert``, 5.10 to 7.2).
_T2_MODELS = frozenset(
    f"{family}{number}"
    for family, numbers in {
        "MacBookPro": ("15,1", "15,2", "15,3", "15,4", "16,1", "16,2", "16,3", "16,4"),
        "MacBookAir": ("8,1", "8,2", "9,1"),
        "Macmini": ("8,1",),
        "MacPro": ("7,1",),
        "iMac": ("20,1", "20,2"),
        "iMacPro": ("1,1",),
    }.items()
    for number in numbers
)
_T = TypeVar("_T")


@dataclass(frozen=True, slots=True)
class FirmwareState:
    """What the firmware and shim say.

    :param is_efi: the system was started by UEFI firmware, as far as files tell
    :param secure_boot: the firmware's SecureBoot; None where it can't be read. The kernel has a stricter view, see
        :attr:`enforces`
    :param setup_mode: the firmware takes new keys from anybody, and enforces none; None where it is not known
    :param mok_validation_disabled: the owner told shim not to validate (MokSBState); None where shim says nothing
    :param db: the keys and hashes that the firmware trusts
    :param dbx: those that it never trusts
    :param kek: the keys that may change db and dbx
    :param pk: the key of the platform's owner
    :param mok_list: the keys of the machine's owner, and of shim's maker, as shim handed them out at this start
    :param mok_denied: likewise what is never to be trusted (MokListX)
    :param trusts_owner_keys: the owner's keys are for .machine (MokListTrustedRT in shim's table)
    :param ignores_db: the owner told shim, and so the kernel, to ignore db (MokIgnoreDB)
    :param vendor_keys: PK, KEK, db and dbx are those of the machine's maker; None where the firmware does not say
    :param sbat_level: shim's list of revoked generations, its text; empty where there is none
    :param is_apple_t2: one of Apple's computers of which the kernel reads no keys
    :param enrolling: certificates and hashes that wait for MokManager to be enrolled (MokNew)
    :param deleting: likewise to be deleted (MokDel)
    :param denying: likewise to be denied (MokXNew)
    :param undenying: likewise no longer to be denied (MokXDel)
    :param requests: the names of the variables, of :data:`REQUESTS`, that wait for MokManager
    :param attributes: of each variable that was read as a file of efivarfs
    :param sources: for each variable that was read its file
    :param unread: the names of variables that are there, and of which nothing could be read
    :param problems: what could not be read, in words, with the file and why
    """

    is_efi: bool = False
    secure_boot: bool | None = None
    setup_mode: bool | None = None
    mok_validation_disabled: bool | None = None
    db: tuple[SignatureEntry, ...] = ()
    dbx: tuple[SignatureEntry, ...] = ()
    kek: tuple[SignatureEntry, ...] = ()
    pk: tuple[SignatureEntry, ...] = ()
    mok_list: tuple[SignatureEntry, ...] = ()
    mok_denied: tuple[SignatureEntry, ...] = ()
    trusts_owner_keys: bool = False
    ignores_db: bool = False
    vendor_keys: bool | None = None
    sbat_level: str = ""
    is_apple_t2: bool = False
    enrolling: tuple[SignatureEntry, ...] = ()
    deleting: tuple[SignatureEntry, ...] = ()
    denying: tuple[SignatureEntry, ...] = ()
    undenying: tuple[SignatureEntry, ...] = ()
    requests: tuple[str, ...] = ()
    attributes: Mapping[str, Attributes] = field(default_factory=dict)
    sources: Mapping[str, str] = field(default_factory=dict)
    unread: frozenset[str] = frozenset()
    problems: tuple[str, ...] = ()

    @property
    def enforces(self) -> bool | None:
        """Whether the kernel takes Secure Boot as on; None where that is not known.

        On is: SecureBoot set, not in setup mode, and shim told to validate (include/linux/efi.h
        ``efi_get_secureboot_mode``, drivers/firmware/efi/libstub/secureboot.c ``efi_get_secureboot``, 6.1).
        """
        if not self.secure_boot:
            return self.secure_boot if self.is_efi else False
        return not self.setup_mode and not self.mok_validation_disabled


def read_firmware(root: Root) -> FirmwareState:
    """Read what the firmware of a root says.

    :param root: the machine's own, or any other; an image has no firmware
    """
    if not root.is_dir(_EFI):
        return FirmwareState()
    files = VariableFiles(root, _GUIDS, _WITH_PASSWORD)
    files.read_efivars(EFIVARS)
    files.read_table(MOK_VARIABLES)
    if not root.listdir(EFIVARS):
        hint = "mount -t efivarfs efivarfs /sys/firmware/efi/efivars"
        files.problems.append(f"{root.display(EFIVARS)}: no EFI variables are there" + f" ({hint})" * root.is_host)
    return _Values(files).state(is_apple_t2=_is_apple_t2(root))


def read_dump(directory: str) -> FirmwareState:
    """Read variables that were copied to a directory of the host.

    Taken are files of efivarfs (``db-d719b2cb-…``), files of mok-variables (``MokListRT``), and signature lists as
    efi-readvar writes them (``db.esl``), in the directory or in ``efivars`` and ``mok-variables`` below it.

    :raises UsageError: it is no directory, or holds no such file
    """
    root = Root(directory)
    if not root.is_dir("/"):
        raise UsageError("is no directory", where=directory, hint="name a copy of /sys/firmware/efi/efivars")
    files = VariableFiles(root, _GUIDS, _WITH_PASSWORD)
    for place in ("/efivars", "/"):
        files.read_efivars(place)
    for place in ("/mok-variables", "/"):
        files.read_table(place)
    files.read_lists("/")
    if not files.found and not files.table and not files.problems:
        raise UsageError(
            "holds no EFI variable",
            where=directory,
            hint="copy the files of /sys/firmware/efi/efivars and mok-variables there, with their names",
        )
    return _Values(files).state(is_apple_t2=False)


def _is_apple_t2(root: Root) -> bool:
    try:
        vendor, model = (root.read_text(path, limit=4096).strip() for path in (_VENDOR, _MODEL))
    except Unreadable:
        return False
    return vendor == "Apple Inc." and model in _T2_MODELS


class _Values:
    """What the variables say.

    :param files: those that were found
    :ivar sources: for each variable that was used its file
    """

    def __init__(self, files: VariableFiles) -> None:
        self._files = files
        self._problems = files.problems
        self.sources: dict[str, str] = {}

    def state(self, *, is_apple_t2: bool) -> FirmwareState:
        """Tell what the variables say."""
        has_none = bool(self._files.found) and "SecureBoot" not in self._files.seen
        return FirmwareState(
            is_efi=True,
            # Firmware without Secure Boot has no such variable, and the kernel takes that for off.
            secure_boot=False if has_none else self._truth("SecureBoot"),
            setup_mode=self._truth("SetupMode"),
            mok_validation_disabled=self._validation_disabled(),
            db=self._entries("db"),
            dbx=self._entries("dbx"),
            kek=self._entries("KEK"),
            pk=self._entries("PK"),
            mok_list=self._mok_entries("MokListRT"),
            mok_denied=self._entries("MokListXRT", or_table=True),
            trusts_owner_keys="MokListTrustedRT" in self._files.in_table,
            ignores_db="MokIgnoreDB" in self._files.found,
            vendor_keys=self._truth("VendorKeys"),
            sbat_level=self._text("SbatLevelRT"),
            is_apple_t2=is_apple_t2,
            enrolling=self._entries("MokNew"),
            deleting=self._entries("MokDel"),
            denying=self._entries("MokXNew"),
            undenying=self._entries("MokXDel"),
            requests=self._requests(),
            attributes={
                name: found.variable.attributes
                for name, found in self._files.found.items()
                if found.variable.attributes is not None
            },
            sources=self.sources,
            unread=frozenset(self._files.seen - self._files.found.keys() - self._files.table.keys()),
            problems=tuple(self._problems),
        )

    def _any(self, name: str) -> FoundVariable | None:
        found = self._files.found.get(name) or self._files.table.get(name)
        if found is not None:
            self.sources[name] = found.source
        return found

    def _parsed(self, found: FoundVariable | None, parse: Callable[[bytes], _T], otherwise: _T) -> _T:
        try:
            return otherwise if found is None else parse(found.variable.data)
        except FormatError as error:
            self._problems.append(f"{found.source if found else ''}: {error}")
            return otherwise

    def _truth(self, name: str) -> bool | None:
        return self._parsed(self._any(name), efi_variables.boolean, None)

    def _validation_disabled(self) -> bool | None:
        """Read shim's copy; what any system can write, the kernel does not believe (libstub/secureboot.c, 6.1)."""
        for name in ("MokSBStateRT", "MokSBState"):
            found = self._files.found.get(name)
            if found is not None and (found.variable.attributes or Attributes(0)) & Attributes.NON_VOLATILE:
                self._problems.append(f"{found.source}: anybody could have written this, so the kernel ignores it")
            elif self._any(name) is not None:
                return self._truth(name)
        return None

    def _requests(self) -> tuple[str, ...]:
        """Name what waits for MokManager; a password without a list asks to empty the list.

        What can't be read waits all the same: root alone may read most of it.
        """
        lists = {"MokAuth": "MokNew", "MokXAuth": "MokXNew"}
        seen = self._files.seen
        return tuple(name for name in REQUESTS if name in seen and lists.get(name) not in seen)

    def _text(self, name: str) -> str:
        found = self._any(name)
        return "" if found is None else found.variable.data.rstrip(b"\0").decode("ascii", "backslashreplace")

    def _entries(self, name: str, *, or_table: bool = False) -> tuple[SignatureEntry, ...]:
        found = self._any(name) if or_table else self._files.found.get(name)
        return () if found is None else self._lists(name, found)

    def _lists(self, name: str, found: FoundVariable) -> tuple[SignatureEntry, ...]:
        """Read signature lists; what stands before a fault counts, as it does for the kernel."""
        self.sources[name] = found.source
        lists = efi_signature_lists.read(found.variable.data)
        if lists.problem is not None:
            self._problems.append(f"{found.source}: {lists.problem}")
        return lists.entries

    def _mok_entries(self, name: str) -> tuple[SignatureEntry, ...]:
        """Read the owner's keys: of shim's table, else of the variable (load_uefi.c ``load_moklist_certs``)."""
        table, variable = self._files.table.get(name), self._files.found.get(name)
        if table is not None:
            entries = self._lists(name, table)
            if efi_signature_lists.read(table.variable.data).problem is None or variable is None:
                return entries
            return tuple(dict.fromkeys((*entries, *self._lists(name, variable))))
        if variable is None:
            return ()
        if f"{name}1" in self._files.found:
            self._problems.append(f"{variable.source}: has only the first of shim's keys; the kernel sees no others")
        return self._lists(name, variable)
