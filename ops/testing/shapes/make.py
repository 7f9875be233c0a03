"""Writes ONNX graphs of the shapes of the models in models/catalogue.toml, with random
weights, by torch's own exporter:

    make.py FOLDER PICTURE NAME...

The architectures are written down here from their publications: U-2-Net (Qin et al. 2020),
IS-Net (Qin et al. 2022), Swin Transformer (Liu et al. 2021) and BiRefNet (Zheng et al.
2024), the latter with its deformable convolutions as the operators that published files
have: GatherND and sums. Batch normalisation has the statistics of PICTURE, and the last
convolution is fitted to show its bright parts, so that values have sensible ranges and
masks show something. Beside NAME.onnx there are NAME.rgb, the picture at the model's
size, and NAME.mask, the mask that torch and the formulas of `rembg` give.
"""
import math
import sys

import numpy
import torch
from PIL import Image
from torch import nn
from torch.nn import functional as F


def conv(i, o, k=3, **more):
    return nn.Conv2d(i, o, k, padding=more.pop("padding", k // 2), **more)


def conv_bn_relu(i, o, k=3, dilation=1, bias=True):
    padding = dilation * (k // 2)
    return nn.Sequential(nn.Conv2d(i, o, k, padding=padding, dilation=dilation, bias=bias), nn.BatchNorm2d(o), nn.ReLU())


def like(x, other, align=False):
    return F.interpolate(x, size=other.shape[2:], mode="bilinear", align_corners=align)


def pool(x):
    return F.max_pool2d(x, 2, stride=2, ceil_mode=True)


# --- U-2-Net and IS-Net ---------------------------------------------------------------


class RSU(nn.Module):
    """A U-shaped block; flat: with dilation instead of pooling."""

    def __init__(self, height, i, mid, o, flat=False):
        super().__init__()
        self.flat = flat
        self.enter = conv_bn_relu(i, o)
        rates = [2**n if flat else 1 for n in range(height)]
        rates[-1] = rates[-1] if flat else 2
        self.down = nn.ModuleList(conv_bn_relu(mid if n else o, mid, dilation=r) for n, r in enumerate(rates))
        self.up = nn.ModuleList(conv_bn_relu(2 * mid, mid if n else o, dilation=rates[n]) for n in range(height - 1))

    def forward(self, x):
        entered = x = self.enter(x)
        seen = []
        for n, block in enumerate(self.down):
            x = block(x if self.flat or n in (0, len(self.down) - 1) else pool(x))
            seen.append(x)
        for n in reversed(range(len(self.up))):
            x = self.up[n](torch.cat((like(x, seen[n]) if x.shape != seen[n].shape else x, seen[n]), 1))
        return x + entered


FULL = [(7, 32, 64), (6, 32, 128), (5, 64, 256), (4, 128, 512), (4, 256, 512), (4, 256, 512)]
UP = [(7, 16, 64), (6, 32, 64), (5, 64, 128), (4, 128, 256), (4, 256, 512)]
LITE = [(h, 16, 64) for h, _, _ in FULL]
LITE_UP = [(h, 16, 64) for h, _, _ in UP]


def halved(stages):
    return [(h, mid // 2, o // 2) for h, mid, o in stages]


class U2Net(nn.Module):
    """stem: as in IS-Net, whose input a convolution halves and which has no fusion."""

    def __init__(self, down=FULL, up=UP, classes=1, stem=False, only=None, logits=False):
        super().__init__()
        self.only, self.logits = only, logits
        self.stem = conv(3, 64, stride=2) if stem else None
        i, self.down = 64 if stem else 3, nn.ModuleList()
        for n, (height, mid, o) in enumerate(down):
            self.down.append(RSU(height, i, mid, o, n > 3))
            i = o
        self.up = nn.ModuleList()
        for n in reversed(range(5)):
            height, mid, o = up[n]
            self.up.append(RSU(height, i + down[n][2], mid, o, n > 3))
            i = o
        widths = [o for _, _, o in up] + [down[5][2]]
        self.sides = nn.ModuleList(conv(o, classes) for o in widths)
        self.fuse = None if stem else conv(6 * classes, classes, 1)
        self.head = self.sides[0]

    def forward(self, x):
        size, seen = x, []
        x = self.stem(x) if self.stem else x
        for n, stage in enumerate(self.down):
            x = stage(pool(x) if n else x)
            seen.append(x)
        decoded = [x]
        for n, stage in zip(reversed(range(5)), self.up):
            x = stage(torch.cat((like(x, seen[n]), seen[n]), 1))
            decoded.insert(0, x)
        maps = [side(x) for side, x in zip(self.sides, decoded)]
        maps = [like(m, size if self.stem else maps[0]) if n or self.stem else m for n, m in enumerate(maps)]
        if self.fuse:
            maps.insert(0, self.fuse(torch.cat(maps, 1)))
        maps = maps[: self.only]
        return tuple(maps if self.logits else map(torch.sigmoid, maps))

    def settle(self):
        """Of the sides, only the first counts: it is what is fitted. All have the range of logits."""
        for side in self.sides[1:]:
            side.weight.mul_(0.2)
        if self.fuse:
            nn.init.zeros_(self.fuse.bias)
            nn.init.zeros_(self.fuse.weight)
            for c in range(self.fuse.out_channels):
                self.fuse.weight[c, c] = 1


# --- Swin Transformer -----------------------------------------------------------------


class Block(nn.Module):
    def __init__(self, width, heads, window, shift):
        super().__init__()
        self.heads, self.window, self.shift = heads, window, shift
        self.norm1, self.norm2 = nn.LayerNorm(width), nn.LayerNorm(width)
        self.qkv, self.out = nn.Linear(width, 3 * width), nn.Linear(width, width)
        self.mlp = nn.Sequential(nn.Linear(width, 4 * width), nn.GELU(), nn.Linear(4 * width, width))
        self.table = nn.Parameter(0.02 * torch.randn((2 * window - 1) ** 2, heads))
        at = torch.stack(torch.meshgrid(torch.arange(window), torch.arange(window), indexing="ij")).flatten(1)
        between = (at[:, :, None] - at[:, None]) + window - 1
        self.register_buffer("index", between[0] * (2 * window - 1) + between[1])

    def attend(self, x, mask):
        b, n, c = x.shape
        q, k, v = self.qkv(x).reshape(b, n, 3, self.heads, c // self.heads).permute(2, 0, 3, 1, 4)
        a = (q * (c // self.heads) ** -0.5) @ k.transpose(-2, -1)
        a = a + self.table[self.index.view(-1)].view(n, n, -1).permute(2, 0, 1).unsqueeze(0)
        if self.shift:
            a = (a.view(-1, mask.shape[0], self.heads, n, n) + mask[:, None]).view(-1, self.heads, n, n)
        return self.out((torch.softmax(a, -1) @ v).transpose(1, 2).reshape(b, n, c))

    def forward(self, x, h, w, mask):
        b, _, c = x.shape
        size, hp, wp = self.window, padded(h, self.window), padded(w, self.window)
        y = F.pad(self.norm1(x).view(b, h, w, c), (0, 0, 0, wp - w, 0, hp - h))
        if self.shift:
            y = torch.roll(y, (-self.shift, -self.shift), (1, 2))
        y = y.view(b, hp // size, size, wp // size, size, c).permute(0, 1, 3, 2, 4, 5).reshape(-1, size * size, c)
        y = self.attend(y, mask).view(b, hp // size, wp // size, size, size, c).permute(0, 1, 3, 2, 4, 5).reshape(b, hp, wp, c)
        if self.shift:
            y = torch.roll(y, (self.shift, self.shift), (1, 2))
        x = x + y[:, :h, :w].reshape(b, h * w, c)
        return x + self.mlp(self.norm2(x))


def padded(n, window):
    return math.ceil(n / window) * window


def shifted_mask(h, w, window):
    """Which pixels of a shifted window are neighbours."""
    area = torch.zeros(padded(h, window), padded(w, window))
    parts = [slice(0, -window), slice(-window, -(window // 2)), slice(-(window // 2), None)]
    for i, rows in enumerate(parts):
        for j, columns in enumerate(parts):
            area[rows, columns] = 3 * i + j
    area = area.view(area.shape[0] // window, window, -1, window).permute(0, 2, 1, 3).reshape(-1, window * window)
    return (area[:, None] != area[:, :, None]) * -100.0


class Swin(nn.Module):
    def __init__(self, width, depths, heads, window):
        super().__init__()
        self.window = window
        self.embed, self.norm = nn.Conv2d(3, width, 4, stride=4), nn.LayerNorm(width)
        self.stages, self.merges, self.norms = nn.ModuleList(), nn.ModuleList(), nn.ModuleList()
        for n, depth in enumerate(depths):
            c = width << n
            self.stages.append(nn.ModuleList(Block(c, heads[n], window, i % 2 * (window // 2)) for i in range(depth)))
            self.norms.append(nn.LayerNorm(c))
            if n < 3:
                self.merges.append(nn.Sequential(nn.LayerNorm(4 * c), nn.Linear(4 * c, 2 * c, bias=False)))

    def forward(self, x):
        x = self.embed(x)
        b, c, h, w = (int(n) for n in x.shape)
        x, found = self.norm(x.flatten(2).transpose(1, 2)), []
        for n, blocks in enumerate(self.stages):
            mask = shifted_mask(h, w, self.window)
            for block in blocks:
                x = block(x, h, w, mask)
            found.append(self.norms[n](x).view(b, h, w, c).permute(0, 3, 1, 2).contiguous())
            if n < 3:
                x = x.view(b, h, w, c)
                x = torch.cat((x[:, 0::2, 0::2], x[:, 1::2, 0::2], x[:, 0::2, 1::2], x[:, 1::2, 1::2]), -1)
                h, w, c = h // 2, w // 2, 2 * c
                x = self.merges[n](x.view(b, h * w, 2 * c))
        return found


# --- BiRefNet -------------------------------------------------------------------------


class Points(torch.autograd.Function):
    """x[b, y, x] of a picture b x h x w x c."""

    @staticmethod
    def forward(_, x, at):
        return torch.stack([picture[a[:, 0], a[:, 1]] for picture, a in zip(x, at)])

    @staticmethod
    def symbolic(g, x, at):
        return g.op("GatherND", x, at, batch_dims_i=1)


class Deformable(nn.Module):
    """A convolution that reads, for each of its weights, a point beside its own, between pixels."""

    def __init__(self, i, o, k):
        super().__init__()
        self.k = k
        self.offset, self.modulator = conv(i, 2 * k * k, k), conv(i, k * k, k)
        self.weights = nn.Conv2d(i, o, k, stride=k, bias=False)

    def forward(self, x):
        b, c, h, w = (int(n) for n in x.shape)
        k, n, edge = self.k, self.k**2, self.k // 2 + 1
        offset = self.offset(x).view(b, n, 2, h, w)
        share = 2 * torch.sigmoid(self.modulator(x)).view(b, 1, n, h, w)
        grid = torch.stack(torch.meshgrid(torch.arange(h), torch.arange(w), indexing="ij"))
        taps = torch.stack(torch.meshgrid(torch.arange(k), torch.arange(k), indexing="ij")).view(2, n).t()
        at = offset + (grid[None] + taps[:, :, None, None] + edge - k // 2)
        low = torch.floor(at)
        part, low = at - low, low.long()
        wide = F.pad(x, (edge, edge, edge, edge)).permute(0, 2, 3, 1)
        total = 0
        for down in (0, 1):
            for right in (0, 1):
                rows, columns = (low[:, :, 0] + down).clamp(0, h + 2 * edge - 1), (low[:, :, 1] + right).clamp(0, w + 2 * edge - 1)
                v = Points.apply(wide, torch.stack((rows, columns), -1).view(b, n * h * w, 2))
                weight = (part[:, :, 0] if down else 1 - part[:, :, 0]) * (part[:, :, 1] if right else 1 - part[:, :, 1])
                total = total + v.transpose(1, 2).view(b, c, n, h, w) * weight.view(b, 1, n, h, w)
        total = (total * share).permute(0, 1, 3, 4, 2).view(b, c, h, w, k, k)
        return self.weights(total.permute(0, 1, 2, 4, 3, 5).reshape(b, c, h * k, w * k))


class ASPP(nn.Module):
    def __init__(self, width, kernels=(1, 1, 3, 7), inner=256):
        super().__init__()
        self.blocks = nn.ModuleList(nn.Sequential(Deformable(width, inner, k), nn.BatchNorm2d(inner), nn.ReLU()) for k in kernels)
        self.all = conv_bn_relu(width, inner, 1, bias=False)
        self.out = conv_bn_relu(inner * (len(kernels) + 1), width, 1, bias=False)

    def forward(self, x):
        parts = [block(x) for block in self.blocks]
        return self.out(torch.cat((*parts, like(self.all(F.adaptive_avg_pool2d(x, 1)), parts[0], True)), 1))


def decoder(i, o, inner=64):
    return nn.Sequential(conv_bn_relu(i, inner), ASPP(inner), conv(inner, o), nn.BatchNorm2d(o))


class BiRefNet(nn.Module):
    def __init__(self, backbone, last):
        super().__init__()
        self.backbone, self.sigmoid = backbone, last
        width = backbone.embed.out_channels
        c = [2 * width << n for n in (3, 2, 1, 0)]
        self.squeeze = decoder(sum(c), c[0])
        eighths = [c[0] // 8, c[0] // 8, c[1] // 8, c[2] // 8, c[3] // 8]
        self.inputs = nn.ModuleList(nn.Sequential(conv(3 << n, 64), conv(64, o)) for n, o in zip((10, 8, 6, 4, 0), eighths))
        outs = [c[1], c[2], c[3], c[3] // 2]
        self.blocks = nn.ModuleList(decoder(i + e, o) for i, e, o in zip(c, eighths, outs))
        self.gates = nn.ModuleList(nn.Sequential(conv_bn_relu(o, 16), conv(16, 1, 1)) for o in outs[:3])
        self.laterals = nn.ModuleList(conv(o, o, 1) for o in outs[:3])
        self.head = conv(outs[3] + eighths[4], 1, 1)

    def encode(self, x):
        half = F.interpolate(x, size=(x.shape[2] // 2, x.shape[3] // 2), mode="bilinear", align_corners=True)
        found = [torch.cat((a, like(b, a, True)), 1) for a, b in zip(self.backbone(x), self.backbone(half))]
        found[3] = torch.cat([like(f, found[3], True) for f in found[:3]] + found[3:], 1)
        return found

    def patches(self, x, n, like_this):
        """The picture itself, its pixels in as many channels as the features have fewer."""
        h, w = int(like_this.shape[2]), int(like_this.shape[3])
        b, c, y, z = (int(n) for n in x.shape)
        x = x.view(b, c, y // h, h, z // w, w).permute(0, 1, 2, 4, 3, 5).reshape(b, -1, h, w)
        return self.inputs[n](x)

    def forward(self, x):
        seen = self.encode(x)
        y = self.squeeze(seen[3])
        for n, block in enumerate(self.blocks):
            y = block(torch.cat((y, self.patches(x, n, y)), 1))
            if n < 3:
                y = y * torch.sigmoid(self.gates[n](y))
                y = like(y, seen[2 - n], True) + self.laterals[n](seen[2 - n])
        y = like(y, x, True)
        y = self.head(torch.cat((y, self.patches(x, 4, y)), 1))
        return torch.sigmoid(y) if self.sigmoid else y

    def settle(self):
        for m in self.modules():
            if isinstance(m, Deformable):  # points up to a pixel or two away
                m.offset.weight.mul_(0.3)


def swin_large():
    return Swin(192, (2, 2, 18, 2), (6, 12, 24, 48), 12)


def swin_tiny():
    return Swin(96, (2, 2, 6, 2), (3, 6, 12, 24), 7)


# --- Export ---------------------------------------------------------------------------

IMAGENET = ((0.485, 0.456, 0.406), (0.229, 0.224, 0.225))
# name: network, size, means and deviations, operator set, what the exporter is told
SHAPES = {
    "u2net": (lambda: U2Net(), 320, IMAGENET, 11, {}),
    "u2netp": (lambda: U2Net(LITE, LITE_UP), 320, IMAGENET, 11, {}),
    "u2net_cloth_seg": (lambda: U2Net(classes=4, logits=True), 768, IMAGENET, 11, {}),
    "silueta": (lambda: U2Net(halved(FULL), halved(UP)), 320, IMAGENET, 11, {}),
    "isnet-general-use": (lambda: U2Net(stem=True), 1024, ((0.5,) * 3, (1,) * 3), 11, {}),
    "isnet-anime": (lambda: U2Net(stem=True, only=1), 1024, (IMAGENET[0], (1,) * 3), 11,
                    {"input_names": ["img"], "output_names": ["mask"]}),
    "birefnet-general-lite": (lambda: BiRefNet(swin_tiny(), False), 1024, IMAGENET, 17,
                              {"input_names": ["input_image"], "output_names": ["output_image"]}),
    "birefnet-general": (lambda: BiRefNet(swin_large(), False), 1024, IMAGENET, 17,
                         {"input_names": ["input_image"], "output_names": ["output_image"]}),
    "bria-rmbg": (lambda: BiRefNet(swin_large(), True), 1024, IMAGENET, 17,
                  {"input_names": ["pixel_values"], "output_names": ["alphas"]}),
}


def picture(file, size):
    return numpy.asarray(Image.open(file).convert("RGB").resize((size, size), Image.LANCZOS))


def samples(pixels, mean, std):
    x = pixels / max(pixels.max(), 1e-6)  # as rembg: the brightest sample is 1
    return torch.tensor(((x - mean) / std).transpose(2, 0, 1)[None], dtype=torch.float32)


def fit(net, x, pixels):
    """Fits the last convolution to the brightness of the picture, class by class."""
    head, caught = net.head, []
    hook = head.register_forward_hook(lambda _, i, __: caught.append(i[0]))
    net(x)
    hook.remove()
    features = caught[0]
    bright = torch.tensor(pixels.mean(2)[None, None] / 255, dtype=torch.float32)
    bright = F.avg_pool2d(F.interpolate(bright, size=features.shape[2:], mode="area"), 5, 1, 2)[0, 0].flatten()
    order = bright.argsort().argsort() / len(bright)  # 0 is the darkest
    n = head.out_channels
    want = order[:, None] * 6 - 3 if n == 1 else 4 * F.one_hot((order * n).long().clamp(max=n - 1), n).float()
    k, c = head.kernel_size[0], head.in_channels
    some = torch.randperm(len(bright))[:4000]
    columns = F.unfold(features, k, padding=k // 2)[0].t()[some].double()
    columns = torch.cat((columns, torch.ones(len(some), 1, dtype=torch.double)), 1)
    square = columns.t() @ columns
    square.diagonal().add_(1e-3 * square.diagonal().mean())
    found = torch.linalg.solve(square, columns.t() @ want[some].double()).float()
    head.weight.copy_(found[:-1].t().view(n, c, k, k))
    head.bias.copy_(found[-1])


def spread(net, x):
    """Gives the last convolution's values the range that was fitted: at full size they may lie far outside."""
    caught = []
    hook = net.head.register_forward_hook(lambda _, __, o: caught.append(o))
    net(x)
    hook.remove()
    low, middle, high = numpy.percentile(caught[0].numpy(), (5, 50, 95))
    net.head.weight.mul_(6 / (high - low))
    net.head.bias.sub_(middle).mul_(6 / (high - low))


def mask(output, name):
    """What rembg makes of the output."""
    y = output[0].numpy()
    if name == "u2net_cloth_seg":
        return (y.argmax(0) > 0) * 255.0
    y = y[0]
    if name.startswith("birefnet"):
        y = 1 / (1 + numpy.exp(-y))
    return 255 * (y - y.min()) / (y.max() - y.min())


@torch.no_grad()
def make(folder, file, name):
    build, size, norm, opset, said = SHAPES[name]
    torch.manual_seed(7)
    net = build()
    for m in net.modules():
        if isinstance(m, nn.Conv2d):
            nn.init.kaiming_normal_(m.weight, nonlinearity="linear" if isinstance(net, BiRefNet) else "relu")
        if isinstance(m, nn.BatchNorm2d):
            m.momentum = None  # the statistics are those of one picture
    if hasattr(net, "settle"):
        net.settle()
    small = picture(file, {768: 384, 1024: 256}.get(size, size))
    net.train()
    net(torch.cat((samples(small, *norm), samples(small[:, ::-1] // 2, *norm))))
    net.eval()
    fit(net, samples(small, *norm), small)
    pixels = picture(file, size)
    x = samples(pixels, *norm)
    if name == "isnet-general-use":
        spread(net, x)
    output = net(x)
    output = output if torch.is_tensor(output) else output[0]
    torch.onnx.export(net, x, f"{folder}/{name}.onnx", opset_version=opset, do_constant_folding=True, **said)
    pixels.tofile(f"{folder}/{name}.rgb")
    numpy.rint(mask(output, name)).astype(numpy.uint8).tofile(f"{folder}/{name}.mask")
    print(f"{name}: {sum(p.numel() for p in net.parameters()) / 1e6:.1f} million weights", flush=True)


if __name__ == "__main__":
    for each in sys.argv[3:] or SHAPES:
        make(sys.argv[1], sys.argv[2], each)
