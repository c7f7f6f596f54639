"""Causes in what signing, enrolling, mounting and the like print, where a module is behind it."""

from lkm.rules.causes.rule import CauseRule

__all__ = ["OTHER_TOOLS"]

_SIGN = "scripts/sign-file.c"
_MOK = "man 1 mokutil"

OTHER_TOOLS = (
    CauseRule(
        "signing-passphrase",
        "the private key is encrypted, and the pass phrase was wrong or missing",
        _SIGN,
        lines=(
            "SSL error:{code}:PEM routines:{function*}:bad decrypt",
            "SSL error:{code}:Provider routines:{function*}:bad decrypt",
            "SSL error:{code}:PEM routines:{function*}:bad password read",
            "SSL error:{code}:digital envelope routines:{function*}:bad decrypt",
        ),
        remedy=("openssl pkey -in KEY -noout",),
    ),
    CauseRule(
        "signing-key-format",
        "the key or the certificate is not in the form that is asked for (PEM or DER), or they were given in the wrong"
        " order: first the key, then the certificate",
        _SIGN,
        lines=(
            "SSL error:{code}:PEM routines:{function*}:no start line",
            "SSL error:{code}:asn1 encoding routines:{function*}:wrong tag",
            "SSL error:{code}:DECODER routines:{function*}:unsupported",
        ),
        remedy=("file KEY CERTIFICATE",),
    ),
    CauseRule(
        "signing-file-missing",
        "a file that signing needs is not there: the key, the certificate or the module, whichever the line with"
        " sign-file names",
        _SIGN,
        lines=("SSL error:{code}:system library:{function*}:No such file or directory:",),
        remedy=("ls -l KEY CERTIFICATE MODULE.ko",),
    ),
    CauseRule(
        "signing-digest",
        "sign-file does not know the digest that it was told to use; sha256 and sha512 are usual",
        _SIGN,
        lines=("sign-file: EVP_get_digestbyname",),
        remedy=("grep CONFIG_MODULE_SIG_HASH /boot/config-$(uname -r)",),
    ),
    CauseRule(
        "no-firmware-variables",
        "this system did not start by UEFI, or its firmware's variables are not to be seen (as in a container): there"
        " is no Secure Boot, and no key need be enrolled",
        _MOK,
        lines=("EFI variables are not supported on this system", "This system doesn't support Secure Boot"),
        remedy=("ls -d /sys/firmware/efi",),
    ),
    CauseRule(
        "certificate-not-binary",
        "{file} is no certificate in the binary form (DER) that the firmware takes: it is a PEM text, or the key",
        _MOK,
        lines=("Abort!!! {file} is not a valid x509 certificate in DER format",),
        remedy=("sudo lkm mok enrol {file}",),
    ),
    CauseRule(
        "enrolment-pending",
        "{file} waits for its enrolment: restart, and choose Enroll MOK on the blue screen, which waits for ten seconds"
        " only",
        _MOK,
        lines=("{file} is already in the enrollment request",),
        remedy=("lkm mok status", "sudo reboot"),
    ),
    CauseRule(
        "enrolment-refused",
        "the firmware did not take the request to enrol a key: its memory for variables is full, or you are not root",
        _MOK,
        lines=("Failed to enroll new keys",),
        remedy=("lkm mok status", "df -h /sys/firmware/efi/efivars"),
    ),
    CauseRule(
        "kernel-not-signed",
        "Secure Boot refused to start the kernel itself: it is not signed by a key that the firmware or shim knows, or"
        " its key is revoked",
        _MOK,
        lines=("bad shim signature", "Verification failed: (0x1A) Security Violation"),
        remedy=("lkm mok status", "lkm keys"),
    ),
    CauseRule(
        "driver-mismatch",
        "the programs of the NVIDIA driver are of another version ({version}) than the module that is loaded: the"
        " module was not rebuilt, an old one is in the initramfs, or the machine was not restarted since the upgrade",
        "man 1 modinfo",
        lines=("API mismatch: the client has the version {version}",),
        remedy=("cat /proc/driver/nvidia/version", "modinfo -F version nvidia", "dkms status"),
    ),
    CauseRule(
        "driver-mismatch",
        "the programs of the NVIDIA driver are of another version than the module that is loaded: the module was not"
        " rebuilt, an old one is in the initramfs, or the machine was not restarted since the upgrade",
        "man 1 modinfo",
        lines=("NVML: Driver/library version mismatch",),
        remedy=("cat /proc/driver/nvidia/version", "modinfo -F version nvidia", "dkms status"),
    ),
    CauseRule(
        "driver-not-loaded",
        "the module nvidia is not loaded, so its programs reach no device",
        "man 1 modinfo",
        lines=("NVIDIA-SMI has failed because it couldn't communicate with the NVIDIA driver",),
        remedy=("lkm check nvidia", "dkms status", "sudo dmesg | grep -i nvidia"),
    ),
    CauseRule(
        "device-bound",
        "another driver ({driver}) holds the device; it must be kept from loading, in the initramfs, too",
        "drivers/base/dd.c",
        lines=("is already bound to {driver}.", "NVRM: GPU {gpu} is already bound to {driver}."),
        remedy=("lspci -k", "lkm show {driver}"),
    ),
    CauseRule(
        "filesystem-module-missing",
        "no module for the file system {filesystem} could be loaded: its package is not installed, it is kept from"
        " loading, or the kernel that runs has lost its modules to an upgrade",
        "man 8 mount",
        lines=("unknown filesystem type '{filesystem}'",),
        remedy=("lkm find --filesystem {filesystem}", "uname -r; ls /lib/modules"),
    ),
    CauseRule(
        "table-module-missing",
        "the module for the table {table} of {tool} could not be loaded: it is not installed, kept from loading, or"
        " this user or container may not load it",
        "man 8 iptables",
        lines=("can't initialize {tool} table `{table}': Table does not exist (do you need to insmod?)",),
        remedy=("lkm find iptable_{table}", "uname -r; ls /lib/modules"),
    ),
    CauseRule(
        "device-type-module-missing",
        "the kernel has no support for this type of network device: no module offers it, or it is kept from loading",
        "man 8 ip-link",
        lines=("Error: Unknown device type.",),
        remedy=("uname -r; ls /lib/modules", "lkm find --alias 'rtnl-link-*'"),
    ),
    CauseRule(
        "device-node-without-module",
        "{device} is there, but no driver answers: the module tun is not loaded, and could not be",
        "man 8 modprobe",
        lines=("TUN/TAP dev {device}: No such device",),
        remedy=("lkm check tun", "uname -r; ls /lib/modules"),
    ),
    CauseRule(
        "device-node-without-module",
        "KVM can't be used ({device}): the module kvm for this processor is not loaded, or the machine offers no"
        " virtualization",
        "man 8 modprobe",
        lines=("Could not access KVM kernel module: {device*}",),
        remedy=("lkm check kvm_intel kvm_amd", "grep -c -E 'vmx|svm' /proc/cpuinfo"),
    ),
    CauseRule(
        "device-node-without-module",
        "there is no device node: the module {module} is not loaded",
        "man 8 modprobe",
        lines=("device not found, try 'modprobe {module}' first",),
        remedy=("lkm check {module}", "sudo lkm load {module}"),
    ),
)
