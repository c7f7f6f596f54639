"""What somebody might write who has only the library's documents; its types are checked, and it is run."""

import sys
from collections.abc import Iterator

import lkm


def main(root: str, module: str) -> int:
    """Look a system over, set it up for a module, and take all of that back."""
    with lkm.System(root, kernel="emulated") as system:
        for line in told(system, module):
            print(line)
        numbers = list(set_up(system, module))
        print("changes:", numbers)
        for number in reversed(numbers):
            system.settings.undo(number)
        return 1 if any(entry.undone_by is None for entry in changes(system)) else 0


def told(system: lkm.System, module: str) -> Iterator[str]:
    """Tell how a module fares, without changing anything."""
    candidates: tuple[lkm.Candidate, ...] = system.resolve(module)
    for result in system.check(module, options=lkm.CheckOptions(lockdown=lkm.Lockdown.INTEGRITY)):
        yield f"{result.module}: {'loads' if result.loads else result.causes[0].summary}"
    for story in system.explain(module).stories:
        yield f"{story.name} is at {story.place.path}"
    for fact in system.health.status().facts:
        yield f"{fact.name}: {fact.text}"
    answers: dict[str, lkm.SignatureAnswer] = {
        found.relative: found.answer for found in system.trust.verify(*(found.name for found in candidates)).modules
    }
    yield from (f"{name}: signed by {answer.signer}" for name, answer in answers.items())


def set_up(system: lkm.System, module: str) -> Iterator[int]:
    """Change settings; give the numbers of the changes."""
    settings: lkm.Settings = system.settings
    outcomes: list[lkm.ChangeOutcome] = [settings.boot_add(module).outcome]
    values: dict[str, lkm.ParameterValue] = {one.name: one.default for one in settings.parameters(module)}
    if values:
        outcomes.append(settings.set_parameters(module, values, persist=True).outcome)
    others = [one.name for one in settings.blocked() if one.holds]
    try:
        outcomes.append(settings.block(*others, "pcspkr", until_reboot=True).outcome)
    except lkm.PrivilegeMissing as error:
        print(error.hint, error.planned, file=sys.stderr)
    yield from (outcome.number for outcome in outcomes if outcome.number is not None)


def changes(system: lkm.System) -> tuple[lkm.HistoryEntry, ...]:
    """Give the changes that were made and not undone by name."""
    return tuple(entry for entry in system.settings.history().entries if entry.record.undoes is None)


if __name__ == "__main__":
    try:
        sys.exit(main(*sys.argv[1:]))
    except lkm.LkmError as error:
        sys.exit(f"{error} ({error.hint})")
