"""Show what a module needs, or with --reverse what needs it, as a tree or as a graph for Graphviz."""

import argparse
from typing import TYPE_CHECKING

from lkm.actions.session import Session
from lkm.interfaces.cli.output import print_json, print_line, wants_json

if TYPE_CHECKING:
    from lkm.actions.dependencies import Dependency, Edge

__all__ = ["add_arguments", "run"]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the verb's own arguments."""
    parser.add_argument("names", nargs="+", metavar="NAME", help="modules or aliases")
    parser.add_argument("-r", "--reverse", action="store_true", help="what needs it, instead of what it needs")
    parser.add_argument("--dot", action="store_true", help="print a graph for dot(1)")


def run(options: argparse.Namespace, session: Session) -> int:
    """Print the graph around each name."""
    from lkm.actions.dependencies import dependencies_of, dependents_of  # noqa: PLC0415  --help needs none

    ask = dependents_of if options.reverse else dependencies_of
    found = [graph for name in options.names for graph in ask(session, name)]
    if wants_json(options):
        print_json(
            "deps",
            release=session.tree.release,
            reverse=options.reverse,
            modules=[{"name": graph.name, "edges": [_as_json(edge) for edge in graph.edges]} for graph in found],
        )
    elif options.dot:
        _print_dot(found)
    else:
        for graph in found:
            print_line(graph.name)
            _print_tree(graph, reverse=options.reverse)
    return 0


def _as_json(edge: "Edge") -> dict[str, str]:
    return {"user": edge.user, "needs": edge.needed, "kind": edge.kind}


def _print_dot(graphs: "list[Dependency]") -> None:
    print("digraph modules {")
    for graph in graphs:
        print_line(f"  {_quoted(graph.name)};")
    for edge in dict.fromkeys(edge for graph in graphs for edge in graph.edges):
        style = "" if edge.kind == "hard" else f' [style=dashed, label="{edge.kind}"]'
        print_line(f"  {_quoted(edge.user)} -> {_quoted(edge.needed)}{style};")
    print("}")


def _quoted(name: str) -> str:
    escaped = name.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def _print_tree(graph: "Dependency", *, reverse: bool) -> None:
    """Print depth first; what was shown with its own branches already is not followed again."""
    shown: set[str] = {graph.name}
    pending = _branches(graph, graph.name, "", reverse=reverse)
    while pending:
        edge, indent, is_last = pending.pop()
        name = edge.user if reverse else edge.needed
        again = name in shown and bool(graph.next_to(name, reverse=reverse))
        kind = "" if edge.kind == "hard" else f" ({edge.kind})"
        print_line(f"{indent}{'└── ' if is_last else '├── '}{name}{kind}{' (shown above)' if again else ''}")
        if name not in shown:
            shown.add(name)
            pending += _branches(graph, name, indent + ("    " if is_last else "│   "), reverse=reverse)


def _branches(graph: "Dependency", name: str, indent: str, *, reverse: bool) -> "list[tuple[Edge, str, bool]]":
    """Give the branches below a name, the last one first, as a stack wants them."""
    edges = graph.next_to(name, reverse=reverse)
    return [(edge, indent, number == len(edges)) for number, edge in enumerate(edges, 1)][::-1]
