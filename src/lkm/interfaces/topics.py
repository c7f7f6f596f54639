"""What the words of this field mean, and which commands go with them: the texts of ``lkm help TOPIC``.

A paragraph is written as one piece of text, and folded where it is shown; lines that begin with four blanks are
commands, and stand as they are.
"""

from typing import NamedTuple

__all__ = ["TOPICS", "Topic"]


class Topic(NamedTuple):
    """A text about one subject.

    :param title: a clause that says what it is
    :param text: paragraphs and commands, with blank lines between
    :param verbs: those that have to do with it
    """

    title: str
    text: str
    verbs: tuple[str, ...]


_SIGNING = """\
A signature at the end of a module file says who built it. The kernel checks it against certificates that it trusts.
What becomes of a module without a good signature depends on the kernel. With module.sig_enforce=1 on its command line,
or CONFIG_MODULE_SIG_FORCE in its configuration, it is refused with "Key was rejected by service"; under lockdown with
"Operation not permitted" (see lkm help lockdown); else it loads, and the kernel is marked (see lkm help taint).

Trusted are the certificates built into the kernel, and those that it took from the firmware. Secure Boot is the
firmware's promise to start only signed programs; its list of certificates is called db, its list of forbidden ones
dbx. The owner of a machine adds certificates as a MOK (machine owner key), which shim, the first program that the
firmware starts, keeps: enrolling one needs a password now and again on the blue screen at the next boot, so that no
program can do it alone.

Is this module signed, by whom, and will this kernel take it?

    lkm verify MODULE
    lkm check MODULE

To load modules of your own under Secure Boot, make a key once, have it enrolled, then sign each module after each
build:

    lkm keys new DIR/NAME
    sudo lkm mok enrol DIR/NAME.der
    lkm sign --key DIR/NAME.key --certificate DIR/NAME.pem MODULE.ko

The private key must stay private: who has it can load anything into your kernel. strip takes a signature away, so sign
last; a compressed module is unpacked, signed and packed again by lkm sign.
"""

_LOCKDOWN = """\
Lockdown is a mode in which not even root may change the running kernel. "integrity" forbids what could change it, as
unsigned modules, /dev/mem and unsafe parameters; "confidentiality" also what could read its secrets; "none" is the
ordinary state. Many distributions turn integrity on when the machine starts under Secure Boot; lockdown= on the kernel
command line does it, too. It can be tightened while the kernel runs, and never loosened.

The signs of it are "Operation not permitted" although you are root, and a line in the kernel's log that begins with
"Lockdown:".

    lkm lockdown
    sudo dmesg | grep -i lockdown

What helps is to sign the module (see lkm help signing). Turning Secure Boot off helps, too, and takes away what it
protects from.

Related, and stricter: kernel.modules_disabled=1 forbids all loading and removing until the next boot.

    sysctl kernel.modules_disabled
"""

_TAINT = """\
A kernel is tainted when something happened after which its developers trust its error reports less: a proprietary
module (P), one from outside the kernel's own source (O, out-of-tree), one without a good signature (E), one loaded by
force (F), a warning (W), a crash (D), and others. Each has a letter and a bit in /proc/sys/kernel/tainted. It stops
nothing: the machine works as before. It stays until the next boot, also when the module is removed.

    lkm taint
    lkm taint --reason
    lkm taint 12289
    sudo dmesg | lkm taint -
    lkm list --tainting

Before you report a fault, look whether it is there on a kernel that is not tainted; if not, report it to those who
make what tainted it.
"""

_BLACKLIST = """\
"blacklist NAME" in a file of /etc/modprobe.d does less than most people think. It only makes modprobe ignore the
aliases that stand in the module, so that it is no longer loaded for its device. It is still loaded by its name, as
what another module needs (a dependency), by a softdep line, by modules-load.d, and by insmod.

"install NAME /bin/false" forbids it for modprobe altogether: the command is run in place of loading. /bin/true in its
place does the same, and tells nobody that the module is missing. module_blacklist=NAME on the kernel command line
goes furthest: the kernel itself refuses, whoever asks. What is built into the kernel can't be forbidden so;
initcall_blacklist= names the function that starts it.

    lkm block NAME
    lkm blocked
    lkm block --check NAME
    lkm unblock NAME

The initramfs, the small system that starts before the root file system is there, has copies of these files: after a
change it must be made anew (see lkm help initramfs), or the module is loaded there as before.

What would be done for a name or a device shows without doing it:

    lkm load --dry-run NAME
    lkm find --device /dev/NODE
"""

_PARAMETERS = """\
Parameters are values that a module takes. They are set for one load, for good in a file, or, where the module allows
it, while it runs.

    lkm show --parameters MODULE
    lkm param list MODULE
    lkm load MODULE NAME=VALUE
    lkm param set MODULE NAME=VALUE

For good they stand in /etc/modprobe.d as "options MODULE NAME=VALUE". All such lines for a module count; of the same
parameter the last one wins, and after it the kernel command line as MODULE.NAME=VALUE, which is the only place for
what is built into the kernel.

    lkm param set --persist MODULE NAME=VALUE

Such a line takes effect when the module is loaded the next time; a module of the initramfs is loaded from there, with
the copy of the file that is in it (see lkm help initramfs).

The kernel says "Invalid argument" for a value of the wrong type, and ignores a parameter that the module does not
have; both stand in its log. The values in use are in /sys/module/MODULE/parameters.

    sudo dmesg | lkm diagnose -
"""

_DKMS = """\
DKMS (dynamic kernel module support) builds modules from source for each kernel that is installed. The source is in
/usr/src/NAME-VERSION with a file dkms.conf; a hook of the package manager runs it when a kernel comes. It needs the
kernel's headers (linux-headers-…), a compiler, and under Secure Boot a key to sign with.

When a module is missing after an upgrade, the build failed, or the headers were not there. The log of the build says
why:

    dkms status
    lkm diagnose /var/lib/dkms/NAME/VERSION/build/make.log
    sudo apt install linux-headers-$(uname -r)
    sudo dkms autoinstall -k $(uname -r)

Before an upgrade, ask what it will do to the modules in use:

    lkm preflight RELEASE

DKMS signs with a key of its own, /var/lib/dkms/mok.key (or /var/lib/shim-signed/mok/MOK.priv on Ubuntu); the
certificate beside it must be enrolled once (see lkm help signing).
"""

_INITRAMFS = """\
The initramfs is a small file system that is started before the root file system can be read. It has copies of the
modules for disks, encryption and file systems, and of the files of /etc/modprobe.d. Copies grow old: a new parameter,
a blacklist line or a rebuilt module counts for early boot only when the initramfs is made anew.

Debian, Ubuntu:

    sudo update-initramfs -u -k all
    lsinitramfs /boot/initrd.img-$(uname -r) | grep MODULE

Fedora, openSUSE and others with dracut:

    sudo dracut --force --kver $(uname -r)
    lsinitrd | grep MODULE

Arch:

    sudo mkinitcpio -P

Signs of an old copy: a module has its old value or is loaded although it is blocked, "version magic" lines at the very
begin of the log, or no root file system at boot.

    sudo dmesg | lkm diagnose -
"""

_ALIASES = """\
A device tells the kernel what it is in one line, its modalias, as pci:v00008086d000015F3sv…; modules carry patterns
for the devices that they drive, their aliases. For a new device udev asks modprobe for the modalias, and all modules
with a fitting pattern are loaded. File systems (fs-vfat), network protocols (net-pf-29), character devices
(char-major-10-200) and others are asked for by aliases, too.

The patterns of all modules are in modules.alias, an index below /lib/modules/RELEASE that depmod writes, and lkm
index, too. A module that was copied there is not found before that is done.

    lkm find --device /dev/NODE
    lkm find --alias fs-vfat
    lkm find --all-devices
    sudo lkm index

In /etc/modprobe.d "alias NAME MODULE" adds one, and a blacklist line makes the module's own be ignored.

A dash and an underscore are the same in a module's name; in aliases of devices they are not.
"""

TOPICS = {
    "signing": Topic(
        "signatures, Secure Boot, and keys of your own",
        _SIGNING,
        ("sign", "verify", "keys", "mok", "check"),
    ),
    "lockdown": Topic("when not even root may load a module", _LOCKDOWN, ("lockdown", "status", "verify")),
    "taint": Topic("what a kernel remembers, and what it means for a bug report", _TAINT, ("taint", "list")),
    "blacklist": Topic(
        "keeping a module out, and why blacklist is not enough",
        _BLACKLIST,
        ("block", "unblock", "blocked", "explain"),
    ),
    "parameters": Topic("values for modules: once, for good, while they run", _PARAMETERS, ("param", "show", "load")),
    "dkms": Topic("modules that are built anew for each kernel", _DKMS, ("preflight", "diagnose", "sign")),
    "initramfs": Topic("the copies that early boot uses", _INITRAMFS, ("diagnose", "boot", "param")),
    "aliases": Topic("how a device finds its module", _ALIASES, ("find", "explain", "index")),
}
