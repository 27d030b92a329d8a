# SPDX-License-Identifier: MIT
# assay: one Makefile, no lists of files.  `make help` says what it can do.
#
#   CC=gcc|clang|aarch64-linux-gnu-gcc   MODE=release|debug|asan|tsan|cov|fuzz   WORKER=1   V=1
#   FAISS=PREFIX (or another peer's name): its adaptor is built against the library installed there
#   SIMSIMD=PREFIX: its kernels, from PREFIX/include, are timed beside ours (bench/micro/rival_*.c)
#   B=DIR (default build)   RUN="qemu-aarch64 -cpu max"   PREFIX=/usr/local
CC     := $(if $(filter default,$(origin CC)),gcc,$(CC))
CXX    := $(if $(filter default,$(origin CXX)),g++,$(CXX))
MODE   ?= release
B      ?= build
PREFIX ?= /usr/local
Q      := $(if $(V),,@)
MAKEFLAGS += --no-builtin-rules

# --- what we build for, and where it goes --------------------------------------------------
machine := $(firstword $(subst -, ,$(shell $(CC) -dumpmachine)))
ARCH    := $(or $(if $(filter x86_64,$(machine)),X86),$(if $(filter aarch64,$(machine)),ARM),ANY)
out     := $(B)/$(machine)-$(notdir $(firstword $(CC)))-$(MODE)$(if $(WORKER),-worker)

# -g1 gives lines; variables of optimised code would double the time over unrolled kernels.
mode_release := -O3 -g1
mode_debug   := -O0 -g3
mode_asan    := -O1 -g1 -fsanitize=address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer
mode_tsan    := -O1 -g1 -fsanitize=thread
mode_cov     := -O0 -g --coverage
# Kernels are not what is fuzzed, and clang takes minutes over each of them with coverage.
mode_fuzz    := -O1 -g1 -fsanitize=fuzzer-no-link,address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer
flags := $(or $(mode_$(MODE)),$(error MODE=$(MODE): no such mode))

warn    := -Wall -Wextra -Wshadow -Wvla -Wstrict-prototypes -Wmissing-prototypes -Wwrite-strings \
           -Werror=incompatible-pointer-types -Werror=implicit-function-declaration
# -iquote, not -I: an include "kernels/base/err.h" must never shadow a system <err.h>.
# -fPIC, because assay.so is made of the same objects; a linker takes it back in programs.
compile  = $(CC) -std=gnu11 -fPIC -fno-semantic-interposition $(warn) $(if $(WORKER),-DASSAY_WORKER) -ffp-contract=off -pthread -iquote . -iquote $(out) -MMD -MP $(flags) $(CFLAGS)
# -rdynamic: adaptors of other libraries (peer_*.so) find our functions in the program that opens them.
link     = $(CC) $(filter -fsanitize% --coverage,$(flags)) -pthread -rdynamic $(LDFLAGS)

# --- libraries: what a source includes is what it needs ---------------------------------------
# WORKER=1 builds from sqlite3 and SLEEF alone: it leaves out the plug-ins that include more.
optional := cblas.h lapacke.h yaml.h jansson.h hdf5.h curl/curl.h hwloc.h
libs     := -lsqlite3 -lsleef $(if $(WORKER),,-llapacke -lopenblas -lyaml -ljansson -lhdf5_serial -lcurl -lhwloc) -ldl -lm
CPPFLAGS_hdf5 := -I/usr/include/hdf5/serial
without  = $(if $(WORKER),$(filter-out $(shell grep -lE '^\#include <($(subst $() ,|,$(strip $(optional))))>' $1 /dev/null),$1),$1)

# --- kernels/isa.def is the only place where an ISA is described ----------------------------
rows  := $(shell sed -n 's/^ISA.\([a-z0-9]*\), *\([A-Z0-9]*\), *"\([^"]*\)".*/\1:\2:\3/p' kernels/isa.def | tr ' ' '~')
col    = $(subst ~, ,$(word $1,$(subst :, ,$2)))
isas  := $(foreach r,$(rows),$(call col,1,$r))
mine  := $(foreach r,$(rows),$(if $(filter ANY $(ARCH),$(call col,2,$r)),$(call col,1,$r)))
$(foreach r,$(rows),$(eval isa_$(call col,1,$r) := $(call col,3,$r)))
ops   := $(sort $(shell sed -n 's/^OP.\([a-z0-9_]*\),.*/\1/p' kernels/ops.def))
isa_of = $(lastword $(subst _, ,$1))
# The longest operation that the stem starts with: sorted, it comes last.
op_of  = $(or $(lastword $(foreach o,$(ops),$(if $(filter $o_%,$1),$o))),$(error $1.c: its name starts with no operation of kernels/ops.def))
kernel_defs = -DKERNEL_OP=$(call op_of,$1) -DKERNEL_ISA=$(call isa_of,$1) -DKERNEL_TABLE=kernels_$1

# --- a plug-in is a file; its name is its registered name -----------------------------------
kernel_rooms := kernels $(patsubst %/,%,$(wildcard kernels/*/))
all_kernels := $(sort $(foreach i,$(isas),$(wildcard $(kernel_rooms:%=%/*_$i.c))))
kernels     := $(sort $(foreach i,$(mine),$(wildcard $(kernel_rooms:%=%/*_$i.c))))
slots       := embed retrieve rerank expand score filter context
indexes     := $(call without,$(sort $(wildcard index/index_*.c)))
stages      := $(call without,$(sort $(foreach s,$(slots),$(wildcard pipeline/$s_*.c))))
readers     := $(call without,$(sort $(wildcard datasets/read_*.c)))
importers   := $(call without,$(sort $(wildcard datasets/import_*.c)))
generators  := $(call without,$(sort $(wildcard datasets/gen_*.c)))
metrics     := $(call without,$(sort $(wildcard bench/quality/metric_*.c)))
papers      := $(call without,$(sort $(wildcard bench/papers/paper_*.c)))
works       := $(sort $(wildcard bench/micro/work_*.c))
rivals      := $(call without,$(sort $(wildcard bench/micro/rival_*.c)))
commands    := $(call without,$(sort $(wildcard bench/cmd_*.c)))
kinds       := indexes stages readers importers generators metrics papers works rivals commands

# The scalar source of an operation once more for each ISA that a hand-written file of it exists
# for, as the compiler vectorises it; and by the other compiler too where there is one, so that
# speed-ups can name the better of both.  Release builds only: they are there to be timed.
baseline_flags := -O3 -funroll-loops -fassociative-math -fno-signed-zeros -fno-trapping-math -fno-math-errno -ffp-contract=fast
wide_flags     := $(if $(filter X86,$(ARCH)),-mprefer-vector-width=512)
other_cc       := $(if $(filter X86,$(ARCH)),$(shell command -v $(if $(findstring clang,$(CC)),gcc,clang) 2>/dev/null))
stems          := $(notdir $(basename $(kernels)))
hand_isas       = $(sort $(foreach k,$(filter-out $1_scalar,$(filter $1_%,$(stems))),$(if $(filter $1,$(call op_of,$k)),$(call isa_of,$k))))
pairs          := $(if $(filter release,$(MODE)),$(foreach o,$(ops),$(foreach i,$(call hand_isas,$o),$o:$i)))
baseline        = $(call col,1,$2)_$1_$(call col,2,$2)
baselines      := $(foreach p,$(pairs),$(call baseline,compiler,$p) $(if $(other_cc),$(call baseline,compiler$(notdir $(other_cc)),$p)))

sources := $(call without,$(sort $(wildcard $(kernel_rooms:%=%/*.c) index/*.c datasets/*.c pipeline/*.c bench/*.c bench/*/*.c)))
fuzzers := $(call without,$(sort $(wildcard */fuzz_*.c */*/fuzz_*.c)))
lib     := $(filter-out $(all_kernels) bench/main.c kernels/base/fuzz.c pipeline/extension.c $(fuzzers) $(wildcard */test_*.c */*/test_*.c),$(sources)) $(kernels)
# Tests that are scripts try the program as it was built for this machine.
script_tests := $(if $(filter release,$(MODE)),$(if $(RUN)$(WORKER),,$(sort $(wildcard scripts/test_*.sh))))
tests   := $(filter $(foreach f,kernels index datasets pipeline bench,$f/%),$(call without,$(sort $(wildcard */test_*.c */*/test_*.c))))
# The contract of indexes is tested an index a program: links to the one that tests all.
contract := $(indexes:index/index_%.c=$(out)/index/test_index.%)
programs := $(filter-out $(out)/index/test_index,$(tests:%.c=$(out)/%)) $(contract)
objs    := $(lib:%.c=$(out)/%.o) $(baselines:%=$(out)/baselines/%.o)
# Provenance: everything that is compiled, by name and content, and whether all of it is committed (git describe does not
# look at files that git does not know, such as a plug-in that was just dropped in).
compiled := $(sort $(lib) bench/main.c pipeline/extension.c $(wildcard bench/peers/*.cpp */*.h */*/*.h */*.def */*.sql bench/papers/*.tsv bench/report/report.*) datasets/manifest.tsv Makefile)
commit   := $(shell git describe --always --dirty 2>/dev/null || echo unknown)
version  := $(commit)$(if $(filter unknown %-dirty,$(commit)),,$(if $(shell git ls-files --others -- $(compiled)),-dirty))
archive := $(out)/libassay.a
# Tests link these, so that a changed kernel is linked once and not into each of them; tests of kernels need the first alone.
kernels_so := $(out)/libassay_kernels.so
others_so  := $(out)/libassay_others.so
kernel_objs := $(filter $(out)/kernels/% $(out)/baselines/%,$(objs))
assay   := $(out)/assay
plugin  := $(out)/assay.so
# Adaptors of other libraries: built for this CPU where the library's header is installed.
peer_header = $(shell sed -n '/^\#include <.*\/.*>/{s/.*<\(.*\)>.*/\1/p;q}' $1)
peer_prefix = $($(shell echo $(1:peer_%=%) | tr a-z A-Z))
peer_links  = $(if $(peer_prefix),-I$(peer_prefix)/include -L$(peer_prefix)/lib -Wl$(,)-rpath$(,)$(peer_prefix)/lib) $(shell sed -n 's/^ \* links: //p' bench/peers/$1.cpp)
peer_package = $(shell sed -n 's/^ \* package: \([a-z0-9-]*\).*/\1/p' bench/peers/$1.cpp)
peer_flags := -O3 -march=native
, := ,
peers   := $(if $(WORKER),,$(if $(filter release$(shell uname -m),$(MODE)$(machine)),$(if $(shell command -v $(CXX)),$(patsubst bench/peers/%.cpp,$(out)/%.so,$(foreach p,$(wildcard bench/peers/peer_*.cpp),$(if $(wildcard $(or $(call peer_prefix,$(basename $(notdir $p))),/usr)/include/$(call peer_header,$p)),$p))))))

.PHONY: all gallery tags compdb tidy run run-full test test-all check check-caps check-quick count count-write fuzz fuzz-lines fuzz-planted fuzz-programs symbols list lint help clean install setup FORCE
.SECONDARY:
.DELETE_ON_ERROR:
all: $(assay) $(plugin) $(peers)    ## build/assay, for this machine, and build/assay.so, for SQLite
	$(Q)ln -sfn $(patsubst $(B)/%,%,$(assay)) $(B)/assay; ln -sfn $(patsubst $(B)/%,%,$(plugin)) $(B)/assay.so

$(out)/%.o: %.c Makefile kernels/isa.def kernels/ops.def | $(out)/gen/.stamp
	@mkdir -p $(@D)
	$(Q)$(compile) $(if $(filter $<,$(all_kernels)),$(isa_$(call isa_of,$(notdir $*))) $(call kernel_defs,$(notdir $*)) $(if $(filter fuzz,$(MODE)),-fno-sanitize=all)) \
	  $(if $(findstring hdf5,$<),$(CPPFLAGS_hdf5)) $(if $(findstring /rival_,$<),$(addprefix -isystem ,$(addsuffix /include,$(call rival_prefix,$(*F))))) -c $< -o $@
# op, isa, table, compiler, variant
define baseline_rule
$(out)/baselines/$3.o: $(filter %/$1_scalar.c,$(kernels)) Makefile kernels/isa.def kernels/ops.def | $(out)/gen/.stamp
	@mkdir -p $$(@D)
	$(Q)$$(compile:$(CC)%=$4%) $$(isa_$2) $(wide_flags) $(baseline_flags) -DKERNEL_COMPILER='"$5"' \
	  -DKERNEL_OP=$1 -DKERNEL_ISA=$2 -DKERNEL_TABLE=kernels_$3 -c $$< -o $$@
endef
$(foreach p,$(pairs),$(eval $(call baseline_rule,$(call col,1,$p),$(call col,2,$p),$(call baseline,compiler,$p),$(CC),compiler)))
$(if $(other_cc),$(foreach p,$(pairs),$(eval $(call baseline_rule,$(call col,1,$p),$(call col,2,$p),$(call baseline,compiler$(notdir $(other_cc)),$p),$(other_cc),compiler-$(notdir $(other_cc))))))

$(out)/peer_%.so: bench/peers/peer_%.cpp Makefile
	@mkdir -p $(@D)
	$(Q)$(CXX) -std=c++20 $(peer_flags) -Wall -fPIC -shared -pthread -iquote . -MMD -MP -MF $(@:.so=.d) \
	  -DPEER_VERSION='"$(shell dpkg-query -W -f='$${Version}' $(call peer_package,peer_$*) 2>/dev/null || echo unknown)"' -DPEER_FLAGS='"$(peer_flags)"' $< $(call peer_links,peer_$*) -o $@

# Kernels of other libraries, of headers alone, that `assay bench` times beside ours: SIMSIMD=PREFIX where they are not installed.
rival_prefix = $($(shell echo $(1:rival_%=%) | tr a-z A-Z))
$(foreach r,$(rivals:%.c=%),$(if $(call rival_prefix,$(notdir $r)),$(eval $(out)/$r.o: FORCE)))

# Lists of plug-ins: rewritten only when the set of files changes.
incs := $(kinds:%=$(out)/gen/%.inc) $(out)/gen/kernels.inc
sql := $(patsubst pipeline/%,$(out)/gen/%.inc,$(wildcard pipeline/*.sql)) $(out)/gen/manifest.tsv.inc $(patsubst bench/papers/%,$(out)/gen/%.inc,$(wildcard bench/papers/*.tsv)) \
  $(out)/gen/report.css.inc $(out)/gen/report.js.inc
$(out)/gen/.stamp: $(incs) $(sql) $(out)/gen/version.h
	@touch $@
$(out)/gen/version.h: FORCE
	@mkdir -p $(@D); printf '#define ASSAY_VERSION "%s"\n#define ASSAY_SOURCES "%.16s"\n#define ASSAY_FLAGS "%s"\n#define ASSAY_MODE "%s"\n' \
	  '$(version)' "$$(sha256sum $(compiled) | sha256sum)" '$(strip $(flags) $(CFLAGS))' '$(MODE)' > $@.new; \
	  cmp -s $@.new $@ && rm $@.new || mv $@.new $@
$(out)/gen/kernels.inc: names = $(notdir $(basename $(kernels))) $(baselines)
$(kinds:%=$(out)/gen/%.inc): names = $(notdir $(basename $($(basename $(notdir $@)))))
$(incs): FORCE
	@mkdir -p $(@D); for f in $(names); do echo "PLUGIN($$f)"; done > $@.new; \
	  cmp -s $@.new $@ && rm $@.new || mv $@.new $@
# SQL, tables, and the style and script of reports as C string literals, so that each is written once, in its own form.
$(out)/gen/%.sql.inc: pipeline/%.sql
	@mkdir -p $(@D); sed 's/[\\"]/\\&/g; s/.*/"&\\n"/' $< > $@
$(out)/gen/%.tsv.inc: datasets/%.tsv
	@mkdir -p $(@D); sed 's/[\\"]/\\&/g; s/.*/"&\\n"/' $< > $@
$(out)/gen/%.tsv.inc: bench/papers/%.tsv
	@mkdir -p $(@D); sed 's/[\\"]/\\&/g; s/.*/"&\\n"/' $< > $@
$(out)/gen/report.%.inc: bench/report/report.%
	@mkdir -p $(@D); sed 's/[\\"]/\\&/g; s/.*/"&\\n"/' $< > $@
# A source that includes "gen/X.inc" depends on it through its .d file.

$(archive): $(objs)
	$(Q)rm -f $@; ar crs $@ $^
$(assay): $(out)/bench/main.o $(archive)
	$(Q)$(link) $^ $(libs) -o $@
$(plugin): $(out)/pipeline/extension.o $(archive)
	$(Q)$(link) -shared $^ -Wl,--exclude-libs,ALL -Wl,--as-needed $(libs) -o $@
# A fuzz target and what drives it: libFuzzer, or a replay of its folder.
define fuzz_rule
$(out)/$1.drive.o: kernels/base/fuzz.c Makefile
	@mkdir -p $$(@D)
	$(Q)$$(compile) -DFUZZ_TARGET=$(notdir $1) -DFUZZ_FOLDER='"$1"' $(if $(filter fuzz,$(MODE)),-DFUZZ_WITH_LIBFUZZER) -c $$< -o $$@
$(out)/$1: $(out)/$1.o $(out)/$1.drive.o $(archive)
	$(Q)$$(subst fuzzer-no-link,fuzzer,$$(link)) $$^ $(libs) -o $$@
endef
$(foreach f,$(fuzzers:%.c=%),$(eval $(call fuzz_rule,$f)))
$(kernels_so): $(filter-out %/faults.o,$(kernel_objs))
$(others_so): $(filter-out $(kernel_objs),$(objs))
$(kernels_so) $(others_so):
	$(Q)$(link) -shared -Wl,-soname,$(@F) $^ $(libs) -o $@
# program, what it is linked from
link_test = $(link) $2 $(if $(shell grep -l '<cmocka.h>' $1.c),-lcmocka) $(libs) \
  -Wl,-rpath,'$$ORIGIN/$(subst $() ,/,$(patsubst %,..,$(subst /, ,$(dir $1))))' -o $(out)/$1
$(out)/kernels/%: $(out)/kernels/%.o | $(kernels_so)
	$(Q)$(call link_test,kernels/$*,$< $(kernels_so))
$(out)/%: $(out)/%.o | $(kernels_so) $(others_so)
	$(Q)$(call link_test,$*,$< $(others_so) $(kernels_so))
# Where a test asks for faults, the calls that faults.c has in the place of the system's: of its own copy of what it tests.
wraps := $(shell sed -n 's/^WRAP.[^,]*, \([a-z_]*\),.*/-Wl,--wrap=\1/p' kernels/base/faults.c)
faulty := $(patsubst %.c,$(out)/%,$(shell grep -l 'base/faults.h' $(tests)))
$(filter $(out)/kernels/%,$(faulty)): $(kernel_objs)
$(filter-out $(out)/kernels/%,$(faulty)): $(archive)
$(faulty): $(out)/%: $(out)/%.o
	$(Q)$(call link_test,$*,$^ $(wraps))

$(contract): $(out)/index/test_index
	$(Q)ln -sf $(<F) $@

# --- use -----------------------------------------------------------------------------------------
setup:
	$(Q)scripts/setup.sh
run: setup                          ## a fresh machine to results/default: WordNet, the default sweep, plots, report
	$(Q)$(MAKE) --no-print-directory all
	$(Q)scripts/run.sh default
run-full: setup                     ## the same over the whole grid, into results/full
	$(Q)$(MAKE) --no-print-directory all
	$(Q)scripts/run.sh full

gallery: all                        ## every kind of figure out of committed rows, and a contact sheet: build/gallery/sheet.png
	$(Q)scripts/gallery.sh $(B)/gallery

# --- tests -----------------------------------------------------------------------------------------
test: setup                         ## install what is missing, build, run the native tests (kernels and base under ASan + UBSan too)
	$(Q)scripts/test.sh native
test-all:                           ## test, and clang, -O0, old x86 and aarch64 under qemu (scripts/setup.sh --cross)
	$(Q)scripts/setup.sh --cross
	$(Q)scripts/test.sh all
chosen_tests = $(filter $(if $(ONLY),$(foreach o,$(ONLY),$(out)/$o% $o%),%),$(programs) $(fuzzers:%.c=$(out)/%) $(script_tests))
SECONDS := 60
fuzz:                               ## SECONDS=60: look for inputs that break each fuzz target (ONLY=pipeline/ for some); clang, scripts/setup.sh --cross
	$(Q)$(MAKE) --no-print-directory CC=clang MODE=fuzz fuzz-programs
	$(Q)scripts/fuzz.sh run $(SECONDS) $(chosen_fuzzers:%=$(B)/$(machine)-clang-fuzz/%)
fuzz-lines:                         ## how many lines of its reader each fuzz target's inputs reach
	$(Q)$(MAKE) --no-print-directory CC=gcc MODE=cov fuzz-programs
	$(Q)scripts/fuzz.sh lines $(chosen_fuzzers:%=$(B)/$(machine)-gcc-cov/%)
fuzz-planted:                       ## SECONDS=60: each fuzz target must find the bug that its file describes, in a copy of the tree
	$(Q)scripts/fuzz.sh planted $(SECONDS) $(chosen_fuzzers)
chosen_fuzzers = $(filter $(if $(ONLY),$(ONLY:%=%%),%),$(fuzzers:%.c=%))
fuzz-programs: $(chosen_fuzzers:%=$(out)/%)
# What a test uses, so that it need not run again while all of that is as it was when it passed: the rooms below its own;
# of the kernels those of the operations that it names, all of them where it walks the registry.  (Whoever gets kernels
# from a resolved set relies on ops.def, to which the tests of kernels hold them.)  ALL=1 runs every test; make test does.
$(foreach k,$(kernels),$(eval objs_of_$(call op_of,$(notdir $(basename $k))) += $(k:%.c=$(out)/%.o)))
$(foreach p,$(pairs),$(eval objs_of_$(call col,1,$p) += $(out)/baselines/$(call baseline,compiler,$p).o $(if $(other_cc),$(out)/baselines/$(call baseline,compiler$(notdir $(other_cc)),$p).o)))
test_words = $(eval test_words := $(shell grep -oHE '\b(OP_[a-z0-9_]+|fn\.[a-z0-9_]+|kernel_next..?[a-z])' $(tests) | sed 's/OP_//; s/fn\.//; s/kernel_next.*/ALL/' | sort -u))$(test_words)
objs_of_ALL = $(foreach o,$(ops),$(objs_of_$o))
below_kernels := kernels/%
below_index    = $(below_kernels) index/%
below_datasets = kernels/base/% datasets/%
below_pipeline = $(below_index) datasets/% pipeline/%
below_bench    = %
below_scripts  = %
data_files    := $(shell find index pipeline datasets bench scripts results -type f ! -name '*.[ch]')
room_of        = $(firstword $(subst /, ,$1))
# test, its source; words
uses = $1 $(patsubst %.c,$(out)/%.o,$(filter $(below_$(call room_of,$2)),$(filter-out $(kernels),$(lib)))) \
  $(foreach w,$(filter $2:%,$3),$(objs_of_$(w:$2:%=%))) $(if $(filter kernels,$(call room_of,$2)),,$(data_files))
# Not of `all`, which links build/assay to what it made: a sanitizer's build is not for use.
# Tests of kernels run nothing but themselves.
check: $(filter $(out)/%,$(chosen_tests)) $(if $(filter-out $(out)/kernels/%,$(chosen_tests)),$(assay) $(plugin) $(peers))    ## run the tests of this CC and MODE that are not as they passed (ONLY=kernels/ for some; ALL=1; RUN= wraps them)
	$(shell mkdir -p $(out)/uses)$(foreach t,$(chosen_tests),$(file >$(out)/uses/$(subst /,_,$t),$(call uses,$t,$(patsubst $(out)/%,%.c,$t),$(test_words))))
	$(Q)RUN="$(RUN)" CC="$(CC)" ALL="$(ALL)" USES="$(out)/uses" ASSAY="$(abspath $(assay))" scripts/run_tests.sh $(chosen_tests)
check-caps:                         ## kernels/ and bench/ (or ONLY=) as every lesser CPU would run them: under each ISA that this one can be capped at
	$(Q)for cap in $(mine); do ! $(assay) info --kernel $$cap >/dev/null 2>&1 || { echo "== ASSAY_ISA=$$cap"; \
	  ASSAY_ISA=$$cap $(MAKE) --no-print-directory check ONLY="$(or $(ONLY),kernels/ bench/)" || exit 1; }; done
count: $(assay)                     ## instructions of the default kernels against results/counts/<compiler>.csv: 1 % more is an error
	$(Q)$(assay) bench --counts results/counts
count-write: $(assay)               ## count again, of every ISA that this CPU runs, and write that file
	$(Q)mkdir -p results/counts; for cap in $(filter-out scalar,$(mine)); do ! $(assay) info --kernel $$cap >/dev/null 2>&1 || ASSAY_ISA=$$cap $(assay) bench --count --csv || exit 1; done | \
	  awk '!seen[$$0]++' > $(out)/counts.csv; mv $(out)/counts.csv results/counts/$$($(assay) info --compiler).csv
symbols: $(objs)                    ## each kernel file exports its own table and nothing else
	$(Q)for o in $(kernels:%.c=$(out)/%.o); do want=kernels_$$(basename $$o .o); \
	  got=$$(nm -g --defined-only $$o | awk '$$3 !~ /^(__|$$)/ {print $$3}'); \
	  [ "$$got" = "$$want" ] || { echo "$$o exports: $$got"; exit 1; }; done
lint:                               ## includes point one way, no tabs, short functions, needs.h knows every ISA flag
	$(Q)CC="$(CC)" scripts/lint.sh $(foreach i,$(mine),'$i:$(isa_$i)')
list: all                           ## everything registered: operation x ISA x variant, indexes, stages, readers, metrics, commands
	$(Q)$(assay) info --list
install: all                        ## PREFIX=/usr/local: bin/assay, its gnuplot files, lib/assay/*.so
	install -Dm755 $(assay) $(DESTDIR)$(PREFIX)/bin/assay
	install -d $(DESTDIR)$(PREFIX)/share/assay/plots
	install -m644 scripts/plots/*.gp $(DESTDIR)$(PREFIX)/share/assay/plots
	install -Dm755 -t $(DESTDIR)$(PREFIX)/lib/assay $(plugin) $(peers)
tags:                               ## an index of names for editors (universal-ctags)
	$(Q)ctags -R --languages=C,C++ --exclude=build --exclude=results .
compdb: $(out)/gen/.stamp           ## compile_commands.json for clangd and clang-tidy
	$(Q)CC="$(CC)" scripts/compdb.sh $(objs) $(out)/bench/main.o $(out)/pipeline/extension.o $(tests:%.c=$(out)/%.o)
tidy: compdb                        ## clang-tidy over every source of this machine (.clang-tidy says what it looks for)
	$(Q)sed -n 's/.*"file": "\([^"]*\)".*/\1/p' compile_commands.json | xargs -P "$$(nproc)" -n 8 clang-tidy -p . --quiet
help:                               ## this text
	@sed -n 's/^\([a-z0-9-]*\):[^#]*## \(.*\)/  make \1\t\2/p' $(MAKEFILE_LIST) | expand -t 18
clean:                              ## remove build/
	$(Q)rm -rf $(B)

-include $(objs:.o=.d) $(out)/bench/main.d $(out)/pipeline/extension.d $(tests:%.c=$(out)/%.d) $(fuzzers:%.c=$(out)/%.d) $(fuzzers:%.c=$(out)/%.drive.d) $(peers:.so=.d)
