# What people run: make demo, make test. Everything that they need is set up on the way.

VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.stamp
PYTHON ?= python3

# The real tools and kernels that tests compare with (Debian's names).
TEST_PACKAGES := binutils busybox-static cpio efitools file fish gcc groff grub-efi-amd64-signed keyutils kmod \
	libc6-dev libengine-pkcs11-openssl linux-headers-amd64 linux-image-amd64 make man-db mokutil openssl ovmf \
	qemu-system-x86 shim-signed softhsm2 xz-utils zsh zstd

BENCHMARKS := startup read_tree modinfo alias_lookup depmod profile check sign verify

.PHONY: setup demo test lint bench truth clean packages

setup: $(STAMP)

$(STAMP): pyproject.toml requirements/run.txt requirements/test.txt
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || ./tools/install-packages python3-venv
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements/run.txt -r requirements/test.txt
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	@touch $(STAMP)

demo: setup
	@$(BIN)/lkm demo

packages:
	@./tools/install-packages $(TEST_PACKAGES)

test: setup packages
	$(BIN)/python -m pytest --numprocesses 2 --dist loadgroup

lint: setup
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	$(BIN)/lint-imports

bench: setup packages
	@for name in $(BENCHMARKS); do echo "== $$name"; $(BIN)/python -m benchmarks.$$name || exit 1; done

# Ask the real kernels again what they do with the cases of tests/truth: about 40 minutes.
truth: setup packages
	$(BIN)/python -m tests.truth.record

clean:
	rm -rf $(VENV) .cache build dist src/*.egg-info .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
	find src tests benchmarks -name __pycache__ -prune -exec rm -rf {} +
