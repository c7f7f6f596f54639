"""What is set on a system: parameters, modules that are kept out, modules that are loaded at boot; and undoing that."""

from collections.abc import Mapping

from lkm.actions.blocking.allow_only import AllowOnly, end_allow_only, plan_allow_only, write_allow_only
from lkm.actions.blocking.block import BlockOptions, BlockResult, UnblockResult, block, unblock
from lkm.actions.blocking.listing import BlockedModule, blocked_modules
from lkm.actions.blocking.names import module_names
from lkm.actions.blocking.routes import Route, routes_to, sessions_of_all_kernels
from lkm.actions.boot import changing
from lkm.actions.boot.listing import BootList, list_boot
from lkm.actions.changes.applying import ChangeOutcome
from lkm.actions.changes.command_line import command_line
from lkm.actions.changes.undoing import History, UndoResult, history, undo
from lkm.actions.library.progress import Progress, watching
from lkm.actions.parameter_words import ParameterValue, parameter_words
from lkm.actions.parameters.facts import ParameterFacts, facts_of
from lkm.actions.parameters.setting import SetOptions, SetResult, set_parameters
from lkm.actions.parameters.subject import find_subject
from lkm.actions.parameters.unsetting import UnsetResult, unset_parameters
from lkm.actions.session import Session

__all__ = ["Settings"]


class Settings:
    """Settings of a system, and changing them. Got as ``System.settings``.

    What lasts is written to files of lkm's own below /etc, whole or not at all; each change has a number in a journal,
    which :meth:`undo` takes. Every method that writes takes ``dry_run``: then nothing is written, and ``outcome.diff``
    shows what would be. Every one of them raises

    - :class:`lkm.PrivilegeMissing` or :class:`lkm.ReadOnlyFiles` where files can't be written; ``planned`` is the diff;
    - :class:`lkm.ChangedMeanwhile` where files keep changing;
    - :class:`lkm.UsageError` where one of the files is not lkm's, or the words are off.

    :param session: the system
    """

    def __init__(self, session: Session) -> None:
        self._session = session

    def _command(self, *words: str, **flags: bool) -> str:
        """Give the equal call of the command, which the journal keeps."""
        given = [f"--{name.replace('_', '-')}" for name, is_given in flags.items() if is_given]
        return command_line(self._session, *words, *given)

    # --- parameters ---------------------------------------------------------------------------------------------------

    def parameters(self, name: str) -> tuple[ParameterFacts, ...]:
        """Give all that is known of a module's parameters: type, default, the value now, and what sets it where.

        :param name: a module, an alias of one, or a module file
        :raises ModuleNotFound: nothing answers to it
        :raises UsageError: several modules do
        """
        return facts_of(self._session, find_subject(self._session, name))

    def set_parameters(
        self,
        name: str,
        values: Mapping[str, ParameterValue],
        *,
        persist: bool = False,
        reload: bool = False,
        dry_run: bool = False,
    ) -> SetResult:
        """Set parameters of a module; all values are checked against their types before anything is written.

        :param name: as for :meth:`parameters`
        :param values: None is the name alone, which means yes
        :param persist: for each load to come; then the module need not be loaded
        :param reload: load the module again where the value can't be set while it is loaded and nothing uses it
        :returns: ``done`` says what became of each
        :raises ModuleNotFound, UsageError: as for :meth:`parameters`; a value is wrong, or can't be set now
        :raises NotLoaded: the module is not, and neither are the values to persist
        :raises InUse: it can't be loaded again
        :raises LkmError: it has no such parameter, or the kernel refused
        """
        words = parameter_words(values)
        command = self._command("param", "set", name, *words, persist=persist, reload=reload)
        options = SetOptions(persist=persist, reload=reload, dry_run=dry_run, command=command)
        return set_parameters(self._session, name, words, options)

    def unset_parameters(self, name: str, *parameters: str, dry_run: bool = False) -> UnsetResult:
        """Take back what was persisted; the kernel keeps its values until the module is loaded again.

        :param name: as for :meth:`parameters`
        :param parameters: none for all of the module
        :returns: ``elsewhere`` says which files still set them
        :raises ModuleNotFound, UsageError, LkmError: as for :meth:`set_parameters`
        """
        command = self._command("param", "unset", name, *parameters)
        return unset_parameters(self._session, name, parameters, command, dry_run=dry_run)

    # --- keeping modules out ------------------------------------------------------------------------------------------

    def blocked(
        self, *names: str, prove: bool | None = None, progress: Progress | None = None
    ) -> tuple[BlockedModule, ...]:
        """List the modules that modprobe.d and the kernel command line keep out, with the lines that do.

        :param names: only these, as the kernel spells them; by default all
        :param prove: look for ways that are left; by default if there are at most 200 modules
        :param progress: is called with how many modules were proved, and of how many
        """
        return blocked_modules(self._session, names, prove=prove, showing=watching(progress))

    def routes_to(self, *names: str, unknown: bool = False) -> dict[str, tuple[Route, ...]]:
        """Find every way by which modules can be loaded, on all kernels of the root; none proves that a block holds.

        :param names: of modules, no aliases
        :param unknown: also names that no kernel here has
        :returns: the ways by name
        :raises ModuleNotFound: no kernel here has such a module
        :raises UsageError: a word is no module's name
        """
        sessions = sessions_of_all_kernels(self._session)
        return routes_to(sessions, module_names(sessions, names, unknown=unknown))

    def block(
        self,
        *names: str,
        until_reboot: bool = False,
        unknown: bool = False,
        force: bool = False,
        dry_run: bool = False,
    ) -> BlockResult:
        """Keep modules out: no name, alias, device or dependency leads to them by modprobe any more.

        :param names: of modules, no aliases
        :param until_reboot: in /run, which is empty after the next boot
        :param unknown: also names of modules that are not installed
        :param force: also what the system can't do without
        :returns: ``routes``, the ways that are left all the same; ``dependents`` that go with it; ``loaded``, in the
            kernel now and not touched
        :raises ModuleNotFound: there is no such module
        :raises UsageError: it is built in, or the system can't do without it
        """
        options = BlockOptions(until_reboot=until_reboot, unknown=unknown, force=force, dry_run=dry_run)
        command = self._command("block", *names, until_reboot=until_reboot, unknown=unknown, force=force)
        return block(self._session, names, options, command)

    def unblock(self, *names: str, dry_run: bool = False) -> UnblockResult:
        """Take back what :meth:`block` and :meth:`allow_only` did; files that are not lkm's stay as they are.

        :returns: ``remaining``, the lines of other files that still keep them out
        """
        return unblock(self._session, names, self._command("unblock", *names), dry_run=dry_run)

    def plan_allow_only(self, *names: str) -> AllowOnly:
        """Find out what this system needs: what is loaded, what boots, what these depend on, on every kernel installed.

        :param names: modules to allow besides
        :returns: ``allowed`` with reasons, and ``refused``, for :meth:`allow_only`
        :raises ModuleNotFound: no kernel here has such a module
        :raises UsageError: a word is no module's name, or no kernel here has modules
        """
        return plan_allow_only(self._session, names)

    def allow_only(self, plan: AllowOnly, *, dry_run: bool = False) -> ChangeOutcome:
        """Keep all modules out but those of a plan; an allow list from before is replaced."""
        return write_allow_only(self._session, plan, self._command("allow-only", *plan.named), dry_run=dry_run)

    def end_allow_only(self, *, dry_run: bool = False) -> ChangeOutcome:
        """Allow everything again that only the allow list kept out."""
        return end_allow_only(self._session, self._command("allow-only", end=True), dry_run=dry_run)

    # --- boot ---------------------------------------------------------------------------------------------------------

    def boot_list(self) -> BootList:
        """List what modules-load.d and the kernel command line have loaded at boot, and what comes of it."""
        return list_boot(self._session)

    def boot_add(self, *names: str, unchecked: bool = False, dry_run: bool = False) -> changing.BootAddResult:
        """Have modules loaded at boot; what is asked for already, or built in, needs no line.

        :param names: modules or aliases
        :param unchecked: take names that nothing answers to, too
        :raises ModuleNotFound: nothing answers to a name
        :raises TreeMissing, IndexMissing: names can't be looked up
        """
        command = self._command("boot", "add", *names, unchecked=unchecked)
        return changing.add(self._session, names, command, unchecked=unchecked, dry_run=dry_run)

    def boot_remove(self, *names: str, mask: bool = False, dry_run: bool = False) -> changing.BootRemoveResult:
        """Have modules loaded at boot no more.

        :param names: as they are asked for
        :param mask: hide a package's file that asks for one; what else it asks for moves to lkm's file
        :returns: of each ``kept``, the lines that still ask for it and why they stay
        """
        command = self._command("boot", "remove", *names, mask=mask)
        return changing.remove(self._session, names, command, mask=mask, dry_run=dry_run)

    # --- undoing ------------------------------------------------------------------------------------------------------

    def history(self) -> History:
        """Read the journal of changes: ``entries``, the oldest first, and ``problems`` of records that are damaged."""
        return history(self._session)

    def undo(self, number: int | None = None, *, force: bool = False, dry_run: bool = False) -> UndoResult:
        """Put files back as they were before a change. What others changed since in other lines stays.

        :param number: of the change, as in ``outcome.number``; by default the last one that is in force
        :param force: also where the lines that it made were changed since: what came since is lost
        :returns: ``record``, the change that is undone, and ``outcome``; undoing is a change, too, with a number
        :raises UsageError: there is nothing to undo, or the files changed since
        :raises Unreadable: there is no such change, or its record is damaged
        """
        words = ["undo", *([] if number is None else [str(number)])]
        return undo(self._session, number, self._command(*words, force=force), force=force, dry_run=dry_run)
