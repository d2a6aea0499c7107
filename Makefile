# SPDX-License-Identifier: Apache-2.0
#
# A thin front for Meson. `make run` and `make test` need nothing but Debian 12 and root: they
# install what they use (packages of the suite the machine is on, so the suite pins the versions).

BUILD := build

RUN_PACKAGES := gcc libc6-dev clang llvm libbpf-dev bpftool meson ninja-build pkg-config \
	libuv1-dev libmicrohttpd-dev libgnutls28-dev libjansson-dev libcurl4-gnutls-dev libcap-dev libmnl-dev libncurses-dev libvterm-dev libcmocka-dev \
	protobuf-c-compiler libprotobuf-c-dev libzstd-dev libsqlite3-dev libyaml-dev procps

TEST_PACKAGES := libclang-rt-14-dev iproute2 nftables nginx-light redis-server \
	redis-tools postgresql postgresql-contrib wrk iperf3 unbound qemu-system-x86 busybox-static cpio \
	zstd xz-utils curl openssl chromium fonts-dejavu-core fonts-noto-color-emoji

BENCH_PACKAGES := conntrack iproute2 libbpf-tools libdevel-nytprof-perl linux-perf nftables nginx-light openssl \
	pmacct redis-server redis-tools softflowd wrk qemu-system-x86 busybox-static cpio zstd xz-utils

DEB_PACKAGES := build-essential debhelper

ARM64_PACKAGES := gcc-aarch64-linux-gnu mmdebstrap qemu-user-static

INSTALL_PACKAGES := $(DEB_PACKAGES) $(ARM64_PACKAGES) lintian groff-base python3-pip systemd \
	systemd-container

.PHONY: run test soak build bench deb arm64 deps test-deps bench-deps clean format

run: deps build
	exec $(BUILD)/millrace up

build: deps
	@test -f $(BUILD)/build.ninja || meson setup $(BUILD) >/dev/null || meson setup $(BUILD)
	@ninja -C $(BUILD) --quiet

test: test-deps build
	@tests/run --short

soak: test-deps build
	@tests/run

bench: bench-deps build
	@bench/run --write

deb: deps
	@packaging/install-packages $(DEB_PACKAGES)
	@packaging/build-deb $(BUILD)-deb

arm64: deps
	@packaging/install-packages $(ARM64_PACKAGES)
	@packaging/arm64/sysroot $(BUILD)-arm64-sysroot $(filter %-dev,$(RUN_PACKAGES))
	@test -f $(BUILD)-arm64/build.ninja || meson setup $(BUILD)-arm64 \
		--cross-file $(BUILD)-arm64-sysroot/here.ini --cross-file packaging/arm64/cross.ini >/dev/null
	@ninja -C $(BUILD)-arm64 --quiet

deps:
	@packaging/install-packages $(RUN_PACKAGES)
	@command -v node >/dev/null && command -v npm >/dev/null || packaging/install-packages nodejs npm

test-deps: deps
	@packaging/install-packages $(TEST_PACKAGES) $(INSTALL_PACKAGES)

bench-deps: deps
	@packaging/install-packages $(BENCH_PACKAGES)

clean:
	rm -rf $(BUILD) $(BUILD)-*

format:
	git ls-files '*.c' '*.h' | xargs clang-format-14 -i
