"""A made-up system for the real tools of kmod: their files of ``/sys``, ``/proc``, ``/etc`` and ``/lib`` come from a
directory, by a small library that is loaded before the C library. No privilege is needed.
"""

import os
import subprocess
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

from tests.support.require import require_tool

__all__ = ["pretending"]

_SOURCE = r"""
#define _GNU_SOURCE
#include <dirent.h>
#include <dlfcn.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/utsname.h>

static const char *const moved[] = {
	"/sys/", "/proc/cmdline", "/proc/modules", "/lib/", "/etc/", "/run/", "/usr/local/"
};

static const char *place(const char *path, char *space)
{
	const char *root = getenv("PRETENDED_ROOT");
	for (size_t i = 0; root && i < sizeof(moved) / sizeof(*moved); i++)
		if (strncmp(path, moved[i], strlen(moved[i])) == 0) {
			snprintf(space, 8192, "%s%s", root, path);
			return space;
		}
	return path;
}

#define OPEN(name) \
int name(const char *path, int flags, ...) \
{ \
	static int (*real)(const char *, int, ...); char space[8192]; va_list rest; mode_t mode; \
	va_start(rest, flags); mode = (flags & O_CREAT) ? va_arg(rest, mode_t) : 0; va_end(rest); \
	if (!real) real = dlsym(RTLD_NEXT, #name); \
	return real(place(path, space), flags, mode); \
}
#define FOPEN(name) \
FILE *name(const char *path, const char *mode) \
{ \
	static FILE *(*real)(const char *, const char *); char space[8192]; \
	if (!real) real = dlsym(RTLD_NEXT, #name); \
	return real(place(path, space), mode); \
}
#define STAT(name, type) \
int name(const char *path, struct type *found) \
{ \
	static int (*real)(const char *, struct type *); char space[8192]; \
	if (!real) real = dlsym(RTLD_NEXT, #name); \
	return real(place(path, space), found); \
}
OPEN(open)
OPEN(open64)
FOPEN(fopen)
FOPEN(fopen64)
STAT(stat, stat)
STAT(stat64, stat64)

DIR *opendir(const char *path)
{
	static DIR *(*real)(const char *); char space[8192];
	if (!real) real = dlsym(RTLD_NEXT, "opendir");
	return real(place(path, space));
}

int uname(struct utsname *found)
{
	static int (*real)(struct utsname *); const char *release = getenv("PRETENDED_RELEASE");
	if (!real) real = dlsym(RTLD_NEXT, "uname");
	int status = real(found);
	if (status == 0 && release) snprintf(found->release, sizeof(found->release), "%s", release);
	return status;
}
"""


def pretending(root: Path, release: str = "") -> dict[str, str]:
    """Give an environment in which a tool of kmod sees a made-up system.

    :param root: what stands in for ``/``, for kmod's inputs only
    :param release: what ``uname -r`` is
    """
    return {
        **os.environ,
        "LD_PRELOAD": f"{_library().name}/pretend.so",
        "PRETENDED_ROOT": str(root),
        **({"PRETENDED_RELEASE": release} if release else {}),
    }


@cache
def _library() -> TemporaryDirectory[str]:
    """Build the library once a process, in a directory that goes with it."""
    directory = TemporaryDirectory(prefix="lkm-pretend-")
    source = Path(directory.name, "pretend.c")
    source.write_text(_SOURCE)
    library = Path(directory.name, "pretend.so")
    subprocess.run([require_tool("cc"), "-shared", "-fPIC", "-O1", "-o", library, source, "-ldl"], check=True)
    return directory
