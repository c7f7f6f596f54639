"""Causes that lie in a module's parameters (kernel/params.c)."""

import errno

from lkm.rules.causes.rule import CauseRule

__all__ = ["PARAMETERS"]

_EINVAL = (errno.EINVAL,)
_SHOW = ("lkm show --parameters {subject}",)
_TOO_LARGE = "{module}: `{value*}' too large for parameter `{parameter*}'"
_BAD = "{module}: `{value*}' invalid for parameter `{parameter*}'"

PARAMETERS = (
    CauseRule(
        "bad-parameter",
        "the value of {module}'s parameter {parameter} was refused, for the reason that was given before",
        "kernel/params.c parse_args",
        lines=(_BAD, _TOO_LARGE),
        facts=("explained {parameter}",),
        harmless=True,  # the line before says it better
    ),
    CauseRule(
        "parameter-too-large",
        "the text for a parameter of {module} is longer than its {most} characters",
        "kernel/params.c param_set_copystring",
        lines=("{parameter}: string doesn't fit in {most} chars.",),
        errnos=(errno.ENOSPC,),
        remedy=_SHOW,
    ),
    CauseRule(
        "parameter-too-large",
        "the text for {module}'s parameter {parameter} is longer than 1024 characters",
        "kernel/params.c param_set_charp",
        lines=("{parameter}: string parameter too long",),
        errnos=(errno.ENOSPC,),
        remedy=_SHOW,
    ),
    CauseRule(
        "parameter-too-large",
        "the value for {module}'s parameter {parameter} is too long",
        "kernel/params.c parse_args",
        lines=(_TOO_LARGE,),
        errnos=(errno.ENOSPC,),
        remedy=_SHOW,
    ),
    CauseRule(
        "too-many-values",
        "{module}'s parameter {parameter} takes {most} values at most, and was given more",
        "kernel/params.c param_array",
        lines=("{parameter}: can only take {most} arguments",),
        errnos=_EINVAL,
        remedy=_SHOW,
    ),
    CauseRule(
        "parameter-without-value",
        "{module}'s parameter {parameter} was given no value: write {parameter}=VALUE",
        "kernel/params.c parse_one, parse_args",
        lines=("{module}: `' invalid for parameter `{parameter*}'",),
        errnos=_EINVAL,
        remedy=_SHOW,
    ),
    CauseRule(
        "parameter-out-of-range",
        "{module} can't take the value '{value}' for its parameter {parameter}: it is out of the range of its type",
        "kernel/params.c parse_args, lib/kstrtox.c",
        lines=(_BAD,),
        errnos=(errno.ERANGE,),
        facts=("errno known",),
        remedy=_SHOW,
    ),
    CauseRule(
        "parameter-locked-on",
        "{module}'s parameter {parameter} can be turned on, but not off again",
        "kernel/params.c param_set_bool_enable_only",
        lines=(_BAD,),
        errnos=(errno.EROFS,),
        facts=("errno known",),
        remedy=_SHOW,
    ),
    CauseRule(
        "lockdown-parameter",
        "{module}'s parameter {parameter} names addresses of hardware, and {kernel} is locked down {locker}: then such"
        " a parameter can't be set",
        "kernel/params.c param_check_unsafe, man 7 kernel_lockdown",
        lines=(_BAD,),
        errnos=(errno.EPERM,),
        facts=("errno known", "locked down"),
        remedy=_SHOW,
    ),
    CauseRule(
        "bad-parameter",
        "{module} can't take the value '{value}' for its parameter {parameter}: see which type it has",
        "kernel/params.c parse_args",
        lines=(_BAD,),
        remedy=_SHOW,
    ),
    CauseRule(
        "too-few-values",
        "{module}'s parameter {parameter} takes {least} values at least, and was given fewer",
        "kernel/params.c param_array (5.10)",
        lines=("{parameter}: needs at least {least} arguments",),
        errnos=_EINVAL,
        remedy=_SHOW,
    ),
    CauseRule(
        "unknown-parameter",
        "{module} has no parameter {parameter}",
        "kernel/params.c parse_args",
        lines=("{module}: Unknown parameter `{parameter*}'",),
        errnos=(errno.ENOENT,),
        remedy=_SHOW,
    ),
)
