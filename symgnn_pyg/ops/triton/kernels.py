# What runs on the device. The rows of a tile of features are the frames of one
# joint after those of another, so that the same numbers are [V, P*C] to a graph
# and [V*P, C] to weights.
# mypy: disable-error-code="import-not-found, import-untyped"
# mypy: disable-error-code="no-untyped-def, untyped-decorator, var-annotated"
# ruff: noqa: N803
import triton
import triton.language as tl

INTERPRETED = tl.constexpr(triton.knobs.runtime.interpret)
# What a thread holds of a tile of features and of one of new features, in
# bytes: with more, registers are spilled to memory.
HELD = 192


def _longest(count):
    r"""Keeps the longest tiles that fit, :obj:`count` of them for each number
    of warps and stages."""

    def prune(configs, named, **meta):
        width = meta["CHANNELS"] + meta["OUT_CHANNELS"]
        row_bytes = width * named["x"].element_size()
        fitting = {}
        for config in sorted(configs, key=lambda c: c.kwargs["FRAMES"]):
            frames = config.kwargs["FRAMES"]
            held = meta["JOINTS"] * frames * row_bytes / (32 * config.num_warps)
            if frames == 1 or (frames <= meta["MOST_FRAMES"] and held <= HELD):
                kind = config.num_warps, config.num_stages
                fitting.setdefault(kind, []).append(config)
        return [c for found in fitting.values() for c in found[-count:]]

    return prune


def _tiled(warps, stages, count, *key):
    r"""Compares tiles once for each shape, :obj:`count` of them for each number
    of warps and stages. A single one is taken without a comparison."""
    configs = [
        triton.Config({"FRAMES": frames}, num_warps=w, num_stages=s)
        for frames in (1, 2, 4, 8, 16)
        for w in warps
        for s in stages
    ]
    return triton.autotune(
        # The interpreter has no time to compare.
        [triton.Config({"FRAMES": 4})] if INTERPRETED else configs,
        key=[
            "num_graphs",
            "width",
            "out_width",
            "PRECISION",
            "JOINTS",
            "MOST_FRAMES",
            *key,
        ],
        prune_configs_by={"early_config_prune": _longest(count)},
    )


@triton.jit
def _sample(samples, sample, num_joints, num_graphs):
    """The first row, the first entry of the graphs and the size."""
    if samples is None:
        size = num_joints
        row = sample.to(tl.int64) * size
        entry = row * size * num_graphs
    else:
        row = tl.load(samples + 3 * sample)
        entry = tl.load(samples + 3 * sample + 1)
        size = tl.load(samples + 3 * sample + 2)
    return row, entry, size


@triton.jit
def _rows(
    row, size, frame, num_frames, JOINTS: tl.constexpr, FRAMES: tl.constexpr
):
    """The rows of a tile of [V*P, C], of 64 bits, and which there are."""
    i = tl.arange(0, JOINTS * FRAMES)
    joint, frame = i // FRAMES, frame + i % FRAMES
    inside = (joint < size) & (frame < num_frames)
    return (row + joint) * num_frames + frame, inside


@triton.jit
def _offsets(
    rows, inside, stride, column, width, column_stride, COLUMNS: tl.constexpr
):
    columns = column + tl.arange(0, COLUMNS)
    offset = rows[:, None] * stride + columns[None, :] * column_stride
    return offset, inside[:, None] & (columns < width)[None, :]


@triton.jit
def _load(
    matrix,
    rows,
    inside,
    stride,
    column,
    width,
    column_stride,
    COLUMNS: tl.constexpr,
):
    """Some columns of some rows of a matrix; zeros where it has none."""
    offset, inside = _offsets(
        rows, inside, stride, column, width, column_stride, COLUMNS
    )
    return tl.load(matrix + offset, mask=inside, other=0.0)


@triton.jit
def _tile(matrix, rows, inside, column, width, COLUMNS: tl.constexpr):
    """Those of a matrix whose rows lie one after the other."""
    return _load(matrix, rows, inside, width, column, width, 1, COLUMNS)


@triton.jit
def _dot(a, b, total, PRECISION: tl.constexpr):
    if INTERPRETED:
        # It would take numbers of bfloat16 for integers.
        a = a.to(tl.float32)
        b = b.to(tl.float32)
    return tl.dot(a, b, total, input_precision=PRECISION)


@_tiled((4, 8), (2, 3), 2, "TRANSPOSED")
@triton.jit
def mix(
    x,
    graphs,
    weight,
    out,
    samples,
    num_joints,
    num_graphs,
    num_frames,
    width,
    out_width,
    weight_stride,
    stride,
    out_stride,
    TRANSPOSED: tl.constexpr,
    PRECISION: tl.constexpr,
    JOINTS: tl.constexpr,
    CHANNELS: tl.constexpr,
    OUT_CHANNELS: tl.constexpr,
    MOST_FRAMES: tl.constexpr,
    FRAMES: tl.constexpr,
):
    """One program a sample, tile of frames and tile of new channels."""
    program = tl.program_id(0)
    out_tiles = tl.cdiv(out_width, OUT_CHANNELS)
    frame_tiles = tl.cdiv(num_frames, FRAMES)
    out_channel = program % out_tiles * OUT_CHANNELS
    frame = program // out_tiles % frame_tiles * FRAMES
    sample = program // out_tiles // frame_tiles
    row, entry, size = _sample(samples, sample, num_joints, num_graphs)
    rows, inside = _rows(row, size, frame, num_frames, JOINTS, FRAMES)
    i = tl.arange(0, JOINTS)
    total = tl.zeros([JOINTS * FRAMES, OUT_CHANNELS], tl.float32)
    for channel in range(0, width, CHANNELS):
        tile = _tile(x, rows, inside, channel, width, CHANNELS)
        tile = tl.reshape(tile, [JOINTS, FRAMES * CHANNELS])
        c = channel + tl.arange(0, CHANNELS)
        for k in range(num_graphs):
            a = graphs + entry + k * size * size
            a = _tile(a, i, i < size, 0, size, JOINTS)
            if TRANSPOSED:
                a = tl.trans(a)
            w = weight + k * weight_stride
            w = _load(
                w,
                c,
                c < width,
                stride,
                out_channel,
                out_width,
                out_stride,
                OUT_CHANNELS,
            )
            mixed = _dot(a, tile, None, PRECISION).to(tile.dtype)
            mixed = tl.reshape(mixed, [JOINTS * FRAMES, CHANNELS])
            total = _dot(mixed, w, total, PRECISION)
    offset, inside = _offsets(
        rows, inside, out_width, out_channel, out_width, 1, OUT_CHANNELS
    )
    tl.store(out + offset, total.to(out.dtype.element_ty), mask=inside)


# The length of a tile decides the order of sums: it is not for a clock to
# choose.
@_tiled((4,), (2,), 1)
@triton.jit
def graph_gradient(
    grad,
    x,
    weight,
    out,
    samples,
    num_joints,
    num_graphs,
    num_frames,
    width,
    out_width,
    num_entries,
    num_shares,
    PRECISION: tl.constexpr,
    JOINTS: tl.constexpr,
    CHANNELS: tl.constexpr,
    OUT_CHANNELS: tl.constexpr,
    MOST_FRAMES: tl.constexpr,
    FRAMES: tl.constexpr,
):
    """One program a sample, graph and share of the tiles."""
    program = tl.program_id(0)
    k = program % num_graphs
    share = program // num_graphs % num_shares
    sample = program // num_graphs // num_shares
    row, entry, size = _sample(samples, sample, num_joints, num_graphs)
    tiles = tl.cdiv(width, CHANNELS)
    out_tiles = tl.cdiv(out_width, OUT_CHANNELS)
    num_tiles = tl.cdiv(num_frames, FRAMES) * tiles * out_tiles
    total = tl.zeros([JOINTS, JOINTS], tl.float32)
    for item in range(share, num_tiles, num_shares):
        out_channel = item % out_tiles * OUT_CHANNELS
        channel = item // out_tiles % tiles * CHANNELS
        frame = item // out_tiles // tiles * FRAMES
        rows, inside = _rows(row, size, frame, num_frames, JOINTS, FRAMES)
        tile = _tile(x, rows, inside, channel, width, CHANNELS)
        tile = tl.reshape(tile, [JOINTS, FRAMES * CHANNELS])
        g = _tile(grad, rows, inside, out_channel, out_width, OUT_CHANNELS)
        d = out_channel + tl.arange(0, OUT_CHANNELS)
        w = weight + k * width * out_width
        w = _load(w, d, d < out_width, 1, channel, width, out_width, CHANNELS)
        back = _dot(g, w, None, PRECISION).to(tile.dtype)
        back = tl.reshape(back, [JOINTS, FRAMES * CHANNELS])
        total = _dot(back, tl.trans(tile), total, PRECISION)
    i = tl.arange(0, JOINTS)
    offset, inside = _offsets(i, i < size, size, 0, size, 1, JOINTS)
    place = out + share.to(tl.int64) * num_entries + entry + k * size * size
    tl.store(place + offset, total, mask=inside)


@_tiled((4,), (2,), 1)
@triton.jit
def weight_gradient(
    grad,
    x,
    graphs,
    out,
    samples,
    num_joints,
    num_samples,
    num_graphs,
    num_frames,
    width,
    out_width,
    num_shares,
    PRECISION: tl.constexpr,
    JOINTS: tl.constexpr,
    CHANNELS: tl.constexpr,
    OUT_CHANNELS: tl.constexpr,
    MOST_FRAMES: tl.constexpr,
    FRAMES: tl.constexpr,
):
    """One program a graph, tile of its weights and share of all frames."""
    program = tl.program_id(0)
    out_tiles = tl.cdiv(out_width, OUT_CHANNELS)
    tiles = tl.cdiv(width, CHANNELS) * out_tiles
    frame_tiles = tl.cdiv(num_frames, FRAMES)
    # Those that read the same features run side by side.
    k = program % num_graphs
    out_channel = program // num_graphs % out_tiles * OUT_CHANNELS
    channel = program // num_graphs % tiles // out_tiles * CHANNELS
    share = program // num_graphs // tiles
    i = tl.arange(0, JOINTS)
    total = tl.zeros([CHANNELS, OUT_CHANNELS], tl.float32)
    for item in range(share, num_samples * frame_tiles, num_shares):
        frame = item % frame_tiles * FRAMES
        sample = item // frame_tiles
        row, entry, size = _sample(samples, sample, num_joints, num_graphs)
        a = graphs + entry + k * size * size
        a = _tile(a, i, i < size, 0, size, JOINTS)
        rows, inside = _rows(row, size, frame, num_frames, JOINTS, FRAMES)
        tile = _tile(x, rows, inside, channel, width, CHANNELS)
        tile = tl.reshape(tile, [JOINTS, FRAMES * CHANNELS])
        mixed = _dot(a, tile, None, PRECISION).to(tile.dtype)
        mixed = tl.reshape(mixed, [JOINTS * FRAMES, CHANNELS])
        g = _tile(grad, rows, inside, out_channel, out_width, OUT_CHANNELS)
        total = _dot(tl.trans(mixed), g, total, PRECISION)
    c = channel + tl.arange(0, CHANNELS)
    offset, inside = _offsets(
        c, c < width, out_width, out_channel, out_width, 1, OUT_CHANNELS
    )
    layer = (share * num_graphs + k).to(tl.int64)
    tl.store(out + layer * width * out_width + offset, total, mask=inside)
