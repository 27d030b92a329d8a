/* SPDX-License-Identifier: MIT
 * read_hdf5.c - the files of ann-benchmarks and VIBE.  FILE.hdf5 is its `train`; FILE.hdf5:test,
 * FILE.hdf5:neighbors and so on are the others.  Floats and single bytes are vectors, wider integers
 * are ids; the library converts (their writers have changed widths over the years). */
#include "datasets/dataset.h"
#include <hdf5.h>
#include <string.h>

/* Rank two, sizes in bounds. */
static int check_shape(hid_t set, const char *path, const char *part, hsize_t shape[2], struct err *e)
{
    const hid_t space = H5Dget_space(set);
    const int rank = space < 0 ? -1 : H5Sget_simple_extent_ndims(space);
    if (rank == 2) H5Sget_simple_extent_dims(space, shape, NULL);
    if (space >= 0) H5Sclose(space);
    if (rank != 2) return FAIL(e, ERR_FORMAT, "%s: '%s' has %d axes where rows x dim are needed", path, part, rank);
    size_t bytes;
    if (shape[0] == 0 || shape[1] == 0 || shape[1] > DATASET_DIM_MAX ||
        __builtin_mul_overflow((size_t)shape[0], (size_t)shape[1] * sizeof(int64_t), &bytes))
        return FAIL(e, ERR_FORMAT, "%s: '%s' is %llu x %llu: no rows, or a dimension outside 1..%d", path, part,
                    (unsigned long long)shape[0], (unsigned long long)shape[1], DATASET_DIM_MAX);
    return ERR_OK;
}

static int find_element(hid_t set, const char *path, const char *part, enum element *out, struct err *e)
{
    const hid_t type = H5Dget_type(set);
    const H5T_class_t class = H5Tget_class(type);
    const size_t size = H5Tget_size(type);
    const int is_signed = class == H5T_INTEGER && H5Tget_sign(type) == H5T_SGN_2;
    H5Tclose(type);
    if (class == H5T_FLOAT) *out = size == 8 ? ELEMENT_F64 : size == 2 ? ELEMENT_F16 : ELEMENT_F32;
    else if (class == H5T_INTEGER && size == 1) *out = is_signed ? ELEMENT_I8 : ELEMENT_U8;
    else if (class == H5T_INTEGER && is_signed) *out = size == 8 ? ELEMENT_I64 : ELEMENT_I32;
    else if (class == H5T_INTEGER) *out = size == 8 ? ELEMENT_U64 : ELEMENT_U32;
    else return FAIL(e, ERR_FORMAT, "%s: '%s' holds neither floats nor integers", path, part);
    return ERR_OK;
}

/* What a stranger's file may say: that its numbers lie in other files, or that it has any number of them, of which none
 * was ever written.  Deflate makes 1,032 bytes of one (zlib's technical details), so more than that is not believed. */
static int check_storage(hid_t set, const char *path, const char *part, const hsize_t shape[2], struct err *e)
{
    enum { RATIO_MOST = 1100, FREE_BYTES = 1 << 16 };
    const hid_t how = H5Dget_create_plist(set), type = H5Dget_type(set);
    const int elsewhere = how < 0 || H5Pget_external_count(how) > 0 || H5Pget_layout(how) == H5D_VIRTUAL;
    const uint64_t said = (uint64_t)(shape[0] * shape[1]) * H5Tget_size(type), held = H5Dget_storage_size(set);
    H5Tclose(type);
    if (how >= 0) H5Pclose(how);
    if (elsewhere) return FAIL(e, ERR_UNSUPPORTED, "%s: '%s' lies in other files: they are not opened", path, part);
    if (said / RATIO_MOST > held + FREE_BYTES)
        return FAIL(e, ERR_FORMAT, "%s: '%s' is said to have %llu bytes, and the file holds %llu for it", path, part,
                    (unsigned long long)said, (unsigned long long)held);
    return ERR_OK;
}

static int read_set(struct dataset *d, hid_t set, const char *path, struct err *e)
{
    hsize_t shape[2] = { 0 };
    int status = check_shape(set, path, d->part, shape, e);
    if (status == ERR_OK) status = find_element(set, path, d->part, &d->element, e);
    if (status == ERR_OK) status = check_storage(set, path, d->part, shape, e);
    if (status != ERR_OK) return status;
    const int are_ids = element_is_id(d->element);
    const size_t count = (size_t)shape[0], dim = (size_t)shape[1];
    d->block = mem_alloc(count * dim, are_ids ? sizeof(int64_t) : sizeof(float));
    if (!d->block) return FAIL(e, ERR_MEM, "%s: no memory for %zu x %zu", path, count, dim);
    if (H5Dread(set, are_ids ? H5T_NATIVE_INT64 : H5T_NATIVE_FLOAT, H5S_ALL, H5S_ALL, H5P_DEFAULT, d->block) < 0)
        return FAIL(e, ERR_FORMAT, "%s: '%s' cannot be read whole", path, d->part);
    /* The library cuts what int64 cannot hold to its largest value. */
    const int64_t ones = d->element == ELEMENT_U32 ? UINT32_MAX : d->element == ELEMENT_U64 ? INT64_MAX : -1;
    for (size_t i = 0; are_ids && i < count * dim; i++)
        if (((int64_t *)d->block)[i] == ones) ((int64_t *)d->block)[i] = -1;
    d->rows = (struct rows){ are_ids ? NULL : d->block, count, dim, dim };
    d->ids = are_ids ? d->block : NULL;
    return ERR_OK;
}

/* 1 when an attribute is one value: as many are written as there are, whatever room is given. */
static int is_single(hid_t at)
{
    const hid_t space = at < 0 ? -1 : H5Aget_space(at);
    const hssize_t count = space < 0 ? 0 : H5Sget_simple_extent_npoints(space);
    if (space >= 0) H5Sclose(space);
    return count == 1;
}

/* A text attribute of the file, of fixed or variable length, as it may be printed; "" where it has none. */
static void read_word(hid_t file, const char *name, char *out, size_t room)
{
    *out = 0;
    if (H5Aexists(file, name) <= 0) return;
    const hid_t at = H5Aopen(file, name, H5P_DEFAULT), type = at < 0 ? -1 : H5Aget_type(at);
    if (type >= 0 && H5Tget_class(type) == H5T_STRING && is_single(at)) {
        const hid_t wanted = H5Tcopy(H5T_C_S1);
        char *pointer = NULL, *bytes = mem_zero(H5Tget_size(type) + 1, 1);
        if (H5Tis_variable_str(type) > 0) {
            H5Tset_size(wanted, H5T_VARIABLE);
            H5Tset_cset(wanted, H5Tget_cset(type));
            if (H5Aread(at, wanted, &pointer) >= 0 && pointer) snprintf(out, room, "%s", pointer);
            if (pointer) H5free_memory(pointer);
        } else if (bytes && H5Aread(at, type, bytes) >= 0) {
            snprintf(out, room, "%s", bytes);
        }
        for (char *c = out; *c; c++)
            if (*c < ' ' || *c > '~') *c = '?';
        mem_free(bytes);
        H5Tclose(wanted);
    }
    if (type >= 0) H5Tclose(type);
    if (at >= 0) H5Aclose(at);
}

/* ann-benchmarks says what distance a set is made for, what its points are (`type`, before 2021 `point_type`), and its
 * dimension, which must be that of the vectors. */
static int read_attributes(struct dataset *d, hid_t file, const char *path, struct err *e)
{
    int dimension = 0;
    read_word(file, "distance", d->metric, sizeof d->metric);
    read_word(file, "type", d->type, sizeof d->type);
    if (!*d->type) read_word(file, "point_type", d->type, sizeof d->type);
    if (strcmp(d->type, "sparse") == 0)
        return FAIL(e, ERR_UNSUPPORTED, "%s: its attribute 'type' is sparse: sets of items are not read as vectors", path);
    const hid_t at = H5Aexists(file, "dimension") > 0 ? H5Aopen(file, "dimension", H5P_DEFAULT) : -1;
    const int has = is_single(at) && H5Aread(at, H5T_NATIVE_INT, &dimension) >= 0;
    if (at >= 0) H5Aclose(at);
    if (has && d->rows.at && (size_t)dimension != d->rows.dim)
        return FAIL(e, ERR_FORMAT, "%s: its attribute 'dimension' is %d, '%s' has %zu", path, dimension, d->part, d->rows.dim);
    d->said_dimension = has && d->rows.at ? dimension : 0;
    return ERR_OK;
}

/* A link to another file is not followed. */
static herr_t refuse(const char *from, const char *group, const char *to, const char *object, unsigned *flags, hid_t how, void *unused)
{
    (void)from, (void)group, (void)to, (void)object, (void)flags, (void)how, (void)unused;
    return -1;
}

static int open_hdf5(struct dataset *d, const char *path, struct err *e)
{
    int status;
    if (!d->part) d->part = "train";
    H5E_BEGIN_TRY /* the library would print on stderr */
    {
        const hid_t file = H5Fopen(path, H5F_ACC_RDONLY, H5P_DEFAULT);
        const hid_t how = H5Pcreate(H5P_DATASET_ACCESS);
        const int guarded = how >= 0 && H5Pset_elink_cb(how, refuse, NULL) >= 0;
        const hid_t set = file < 0 || !guarded ? -1 : H5Dopen2(file, d->part, how);
        if (file < 0) status = FAIL(e, ERR_FORMAT, "%s: offset 0: not an HDF5 file, or cut short", path);
        else if (set < 0) status = FAIL(e, ERR_NOT_FOUND, "%s: holds no '%s' (try train, test or neighbors)", path, d->part);
        else status = read_set(d, set, path, e);
        if (file >= 0 && status == ERR_OK) status = read_attributes(d, file, path, e);
        if (set >= 0) H5Dclose(set);
        if (how >= 0) H5Pclose(how);
        if (file >= 0) H5Fclose(file);
    }
    H5E_END_TRY
    return status;
}

const struct reader_ops read_hdf5 = {
    .name = "hdf5",
    .summary = "ann-benchmarks and VIBE: FILE is train, FILE:test, FILE:neighbors",
    .suffixes = ".hdf5|.h5",
    .parts = 1,
    .open = open_hdf5,
};
