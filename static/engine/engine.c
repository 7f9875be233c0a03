// Runs the layers of an 8-bit network on the SIMD units of a WebAssembly machine.
//
// Activations are bytes, channels innermost (height, width, channels), each standing for
// scale * (byte - zero). Products of 16-bit integers are summed in 32 bits, which is
// exact; a layer's sums are then scaled to bytes of the next. 3 x 3 convolutions use
// Winograd's F(2x2, 3x3) (Lavin and Gray, "Fast Algorithms for Convolutional Neural
// Networks", 2015) with its filter transform doubled, which keeps it in integers: 16
// multiplications instead of 36, and the same sums, four times as large.
//
// All memory is the caller's (engine.js): there are no globals and no allocations. Each
// thread calls run with the same layers and scratch memory of its own.
#include <stdatomic.h>
#include <stdint.h>
#include <wasm_simd128.h>

enum kind { WEIGHTS, WINOGRAD_WEIGHTS, CONV, WINOGRAD, POOL, RESIZE, ADD, CONCAT, MASK };

// In engine.js the same fields are written in the same order.
struct layer {
	int32_t kind, units;           // units of work, which threads take one by one
	_Atomic int32_t next;          // the first unit that no thread has taken
	const uint8_t *in, *in2;       // activations; of the weights' layers: int8, out x in x 3 x 3
	uint8_t *out;
	int32_t h, w, c;               // size and channels of in
	int32_t oh, ow, oc;            // of out; of CONCAT, oc - c channels come from in2
	int32_t stride, dilation;
	const void *weights;
	const float *scale;            // by output channel: byte = (sum + bias) * scale + out_zero
	const int32_t *bias;
	int32_t zero, zero2, out_zero; // the bytes of in, in2 and out that stand for 0
	float k, k2, k_out, b;         // byte = (in - zero) * k / k_out + out_zero; of ADD, in * k + in2 * k2 + b
	int32_t floats;                // CONV: out is one channel of float32, not bytes
};

struct barrier {
	_Atomic int32_t arrived, round;
};

#define TILES 32   // of one unit of WINOGRAD
#define LANES 8    // output channels computed at once

#define PATIENCE 30000000000LL // for another thread to finish one layer, in nanoseconds
#define TIMED_OUT 2            // what a wait returns then

typedef v128_t v;

static inline int least(int a, int b) { return a < b ? a : b; }

// quantised returns the bytes, one in 32 bits, that stand for x where zero stands for
// 0: adding 1.5 * 2^23 leaves a float's nearest integer in its lowest bits.
static inline v quantised(v x, int zero) {
	v magic = wasm_f32x4_const_splat(12582912);
	x = wasm_f32x4_pmin(wasm_f32x4_pmax(x, wasm_f32x4_splat(-zero)), wasm_f32x4_splat(255 - zero));
	return wasm_i32x4_sub(wasm_f32x4_add(x, magic), wasm_i32x4_sub(magic, wasm_i32x4_splat(zero)));
}

// level returns the bytes for x * k / k_out. The order of such operations, here and
// below, is ONNX Runtime's: the results are the same bits.
static inline v level(v x, v k, v k_out, int zero) {
	return quantised(wasm_f32x4_div(wasm_f32x4_mul(wasm_f32x4_convert_i32x4(x), k), k_out), zero);
}

// rescale turns 16 values, 16-bit, into bytes of another scale.
static inline v rescale(v lo, v hi, float k, float k_out, int zero) {
	v a = wasm_f32x4_splat(k), b = wasm_f32x4_splat(k_out);
	v w0 = level(wasm_i32x4_extend_low_i16x8(lo), a, b, zero), w1 = level(wasm_i32x4_extend_high_i16x8(lo), a, b, zero);
	v w2 = level(wasm_i32x4_extend_low_i16x8(hi), a, b, zero), w3 = level(wasm_i32x4_extend_high_i16x8(hi), a, b, zero);
	return wasm_u8x16_narrow_i16x8(wasm_i16x8_narrow_i32x4(w0, w1), wasm_i16x8_narrow_i32x4(w2, w3));
}

static inline v rescale_bytes(v x, int zero, float k, float k_out, int out_zero) {
	if (k == k_out && zero == out_zero) return x;
	v z = wasm_i16x8_splat(zero);
	return rescale(wasm_i16x8_sub(wasm_u16x8_extend_low_u8x16(x), z), wasm_i16x8_sub(wasm_u16x8_extend_high_u8x16(x), z), k, k_out, out_zero);
}

// --- convolutions

// Sums of four pixels (or tiles), eight output channels each.
struct sums {
	v a0, a1, a2, a3, b0, b1, b2, b3;
};

#define MULTIPLY(s, x0, x1, x2, x3, u0, u1) do { \
	s.a0 = wasm_i32x4_add(s.a0, wasm_i32x4_dot_i16x8(x0, u0)); s.b0 = wasm_i32x4_add(s.b0, wasm_i32x4_dot_i16x8(x0, u1)); \
	s.a1 = wasm_i32x4_add(s.a1, wasm_i32x4_dot_i16x8(x1, u0)); s.b1 = wasm_i32x4_add(s.b1, wasm_i32x4_dot_i16x8(x1, u1)); \
	s.a2 = wasm_i32x4_add(s.a2, wasm_i32x4_dot_i16x8(x2, u0)); s.b2 = wasm_i32x4_add(s.b2, wasm_i32x4_dot_i16x8(x2, u1)); \
	s.a3 = wasm_i32x4_add(s.a3, wasm_i32x4_dot_i16x8(x3, u0)); s.b3 = wasm_i32x4_add(s.b3, wasm_i32x4_dot_i16x8(x3, u1)); \
} while (0)

// What the sums of eight output channels become.
struct outputs {
	v scale[2], bias[2];
	int zero;
};

static inline struct outputs outputs(const struct layer *l, int o) {
	const float *scale = l->scale + o;
	const int32_t *bias = l->bias + o;
	return (struct outputs){{wasm_v128_load(scale), wasm_v128_load(scale + 4)}, {wasm_v128_load(bias), wasm_v128_load(bias + 4)}, l->out_zero};
}

// finish scales the sums of eight output channels and stores their bytes.
static inline void finish(uint8_t *out, v a, v b, struct outputs to) {
	v lo = wasm_f32x4_mul(wasm_f32x4_convert_i32x4(wasm_i32x4_add(a, to.bias[0])), to.scale[0]);
	v hi = wasm_f32x4_mul(wasm_f32x4_convert_i32x4(wasm_i32x4_add(b, to.bias[1])), to.scale[1]);
	v words = wasm_i16x8_narrow_i32x4(quantised(lo, to.zero), quantised(hi, to.zero));
	wasm_v128_store64_lane(out, wasm_u8x16_narrow_i16x8(words, words), 0);
}

// weights puts filters in the order in which conv reads them: by eight output channels,
// row, column, pair of input channels: 8 x 2 bytes.
static void weights(const struct layer *l, int o) {
	int8_t *out = (int8_t *)l->out + o * LANES * 9 * l->c;
	const int8_t *in = (const int8_t *)l->in;
	int real = l->h, in_c = l->w; // output and input channels that there are: the others are padding
	for (int tap = 0; tap < 9; tap++)
		for (int c = 0; c < l->c; c += 2)
			for (int lane = 0; lane < LANES; lane++)
				for (int i = 0; i < 2; i++) {
					int n = o * LANES + lane, k = c + i;
					*out++ = n < real && k < in_c ? in[(n * in_c + k) * 9 + tap] : 0;
				}
}

// unpack widens a row of bytes to 16 bits, less the zero.
static inline void unpack(int16_t *out, const uint8_t *in, int n, int zero) {
	v z = wasm_i16x8_splat(zero);
	for (int i = 0; i < n; i += 8) wasm_v128_store(out + i, wasm_i16x8_sub(wasm_u16x8_load8x8(in + i), z));
}

static inline void clear(int16_t *out, int n) {
	for (int i = 0; i < n; i++) out[i] = 0;
}

// conv computes a row of a convolution 3 x 3, of a part of its output channels.
static void conv(const struct layer *l, int unit, int16_t *rows) {
	int y = unit % l->oh, part = unit / l->oh, parts = l->units / l->oh;
	int d = l->dilation, width = l->w + 2 * d, blocks = (l->oc + LANES - 1) / LANES;
	for (int ky = 0; ky < 3; ky++) {
		int16_t *row = rows + ky * width * l->c;
		int from = y * l->stride + (ky - 1) * d;
		if (from < 0 || from >= l->h) {
			clear(row, width * l->c);
			continue;
		}
		clear(row, d * l->c);
		unpack(row + d * l->c, l->in + from * l->w * l->c, l->w * l->c, l->zero);
		clear(row + (d + l->w) * l->c, d * l->c);
	}
	int step = l->stride * l->c;
	for (int o = part * blocks / parts; o < (part + 1) * blocks / parts; o++) {
		struct outputs to = outputs(l, o * LANES);
		for (int x = 0; x < l->ow; x += 4) {
			if (x > l->ow - 4) x = l->ow - 4;
			const int8_t *u = (const int8_t *)l->weights + o * LANES * 9 * l->c;
			struct sums s = {0};
			for (int ky = 0; ky < 3; ky++)
				for (int kx = 0; kx < 3; kx++) {
					const int16_t *p = rows + (ky * width + kx * d) * l->c + x * step, *q = p + step, *r = q + step, *t = r + step;
					for (const int16_t *end = p + l->c; p < end; p += 2, q += 2, r += 2, t += 2, u += 16)
						MULTIPLY(s, wasm_v128_load32_splat(p), wasm_v128_load32_splat(q), wasm_v128_load32_splat(r), wasm_v128_load32_splat(t),
							wasm_i16x8_load8x8(u), wasm_i16x8_load8x8(u + 8));
				}
			if (l->floats) {
				float *out = (float *)l->out + y * l->ow + x;
				out[0] = (wasm_i32x4_extract_lane(s.a0, 0) + l->bias[0]) * l->scale[0];
				out[1] = (wasm_i32x4_extract_lane(s.a1, 0) + l->bias[0]) * l->scale[0];
				out[2] = (wasm_i32x4_extract_lane(s.a2, 0) + l->bias[0]) * l->scale[0];
				out[3] = (wasm_i32x4_extract_lane(s.a3, 0) + l->bias[0]) * l->scale[0];
				continue;
			}
			uint8_t *out = l->out + (y * l->ow + x) * l->oc + o * LANES;
			finish(out, s.a0, s.b0, to);
			finish(out + l->oc, s.a1, s.b1, to);
			finish(out + 2 * l->oc, s.a2, s.b2, to);
			finish(out + 3 * l->oc, s.a3, s.b3, to);
		}
	}
}

// winograd_weights transforms the filters of eight output channels: G g G', doubled in
// each direction, by place (0..15), pair of input channels: 8 x 2 16-bit integers.
static void winograd_weights(const struct layer *l, int o) {
	int16_t *out = (int16_t *)l->out + o * LANES * 16 * l->c;
	for (int lane = 0; lane < LANES; lane++) {
		const int8_t *g = (const int8_t *)l->in + (o * LANES + lane) * l->c * 9;
		for (int c = 0; c < l->c; c++, g += 9) {
			int16_t *to = out + (c / 2 * LANES + lane) * 2 + c % 2;
			int t[4][3];
			for (int j = 0; j < 3; j++) {
				int even = g[j] + g[6 + j], odd = g[3 + j];
				t[0][j] = 2 * g[j], t[1][j] = even + odd, t[2][j] = even - odd, t[3][j] = 2 * g[6 + j];
			}
			for (int i = 0; i < 4; i++) {
				int even = t[i][0] + t[i][2], odd = t[i][1], place = 4 * i * LANES * l->c;
				to[place] = 2 * t[i][0], to[place + LANES * l->c] = even + odd;
				to[place + 2 * LANES * l->c] = even - odd, to[place + 3 * LANES * l->c] = 2 * t[i][2];
			}
		}
	}
}

// transform writes B' d B of a tile: the 4 x 4 pixels around its 2 x 2. Pixels outside
// are zero.
static inline void transform(const struct layer *l, int ty, int tx, int16_t *out, int place) {
	v z = wasm_i16x8_splat(l->zero);
	const uint8_t *base = l->in + ((2 * ty - 1) * l->w + 2 * tx - 1) * l->c;
	int top = ty == 0, left = tx == 0, bottom = 2 * ty + 2 >= l->h, right = 2 * tx + 2 >= l->w;
	for (int c = 0; c < l->c; c += 8) {
		v t[4][4];
		for (int j = 0; j < 4; j++) {
			v d[4];
			for (int i = 0; i < 4; i++) {
				int outside = (i == 0 && top) || (i == 3 && bottom) || (j == 0 && left) || (j == 3 && right);
				d[i] = outside ? wasm_i16x8_const_splat(0) : wasm_i16x8_sub(wasm_u16x8_load8x8(base + (i * l->w + j) * l->c + c), z);
			}
			t[0][j] = wasm_i16x8_sub(d[0], d[2]), t[1][j] = wasm_i16x8_add(d[1], d[2]);
			t[2][j] = wasm_i16x8_sub(d[2], d[1]), t[3][j] = wasm_i16x8_sub(d[1], d[3]);
		}
		for (int i = 0; i < 4; i++) {
			int16_t *to = out + 4 * i * place + c;
			wasm_v128_store(to, wasm_i16x8_sub(t[i][0], t[i][2]));
			wasm_v128_store(to + place, wasm_i16x8_add(t[i][1], t[i][2]));
			wasm_v128_store(to + 2 * place, wasm_i16x8_sub(t[i][2], t[i][1]));
			wasm_v128_store(to + 3 * place, wasm_i16x8_sub(t[i][1], t[i][3]));
		}
	}
}

// multiply multiplies tiles of one place by its weights: eight sums a tile.
static inline void multiply(const int16_t *x, const int16_t *u, int32_t *out, int tiles, int c) {
	for (int t = 0; t < tiles; t += 4, out += 4 * LANES) {
		const int16_t *p = x + t * c, *q = p + c, *r = q + c, *s4 = r + c, *w = u;
		struct sums s = {0};
		for (const int16_t *end = q; p < end; p += 2, q += 2, r += 2, s4 += 2, w += 16)
			MULTIPLY(s, wasm_v128_load32_splat(p), wasm_v128_load32_splat(q), wasm_v128_load32_splat(r), wasm_v128_load32_splat(s4),
				wasm_v128_load(w), wasm_v128_load(w + 8));
		wasm_v128_store(out, s.a0), wasm_v128_store(out + 4, s.b0), wasm_v128_store(out + 8, s.a1), wasm_v128_store(out + 12, s.b1);
		wasm_v128_store(out + 16, s.a2), wasm_v128_store(out + 20, s.b2), wasm_v128_store(out + 24, s.a3), wasm_v128_store(out + 28, s.b3);
	}
}

// back writes the 2 x 2 pixels of a tile, A' m A scaled, for four of the eight channels'
// halves at once.
static inline void back(const struct layer *l, const int32_t *m, int place, uint8_t *out, struct outputs to) {
	v r[2][2][2]; // row, column, half of the channels
	for (int half = 0; half < 2; half++) {
		v t[2][4];
		for (int j = 0; j < 4; j++) {
			const int32_t *at = m + j * place + 4 * half;
			v m0 = wasm_v128_load(at), m1 = wasm_v128_load(at + 4 * place), m2 = wasm_v128_load(at + 8 * place), m3 = wasm_v128_load(at + 12 * place);
			t[0][j] = wasm_i32x4_add(wasm_i32x4_add(m0, m1), m2);
			t[1][j] = wasm_i32x4_sub(wasm_i32x4_sub(m1, m2), m3);
		}
		for (int i = 0; i < 2; i++) {
			r[i][0][half] = wasm_i32x4_add(wasm_i32x4_add(t[i][0], t[i][1]), t[i][2]);
			r[i][1][half] = wasm_i32x4_sub(wasm_i32x4_sub(t[i][1], t[i][2]), t[i][3]);
		}
	}
	for (int i = 0; i < 2; i++)
		for (int j = 0; j < 2; j++) finish(out + (i * l->ow + j) * l->oc, r[i][j][0], r[i][j][1], to);
}

// winograd computes TILES tiles of 2 x 2 pixels of a convolution 3 x 3.
static void winograd(const struct layer *l, int unit, uint8_t *scratch) {
	int across = l->w / 2, all = across * (l->h / 2), first = unit * TILES, n = least(TILES, all - first);
	int16_t *tiles = (int16_t *)scratch;
	int32_t *m = (int32_t *)(scratch + 2 * 16 * TILES * l->c);
	for (int t = 0; t < n; t++) transform(l, (first + t) / across, (first + t) % across, tiles + t * l->c, TILES * l->c);
	int up = (n + 3) / 4 * 4;
	for (int o = 0; o < l->oc; o += LANES) {
		const int16_t *u = (const int16_t *)l->weights + o * 16 * l->c;
		for (int place = 0; place < 16; place++)
			multiply(tiles + place * TILES * l->c, u + place * LANES * l->c, m + place * TILES * LANES, up, l->c);
		struct outputs to = outputs(l, o);
		for (int t = 0; t < n; t++) {
			int ty = (first + t) / across, tx = (first + t) % across;
			back(l, m + t * LANES, TILES * LANES, l->out + (2 * ty * l->ow + 2 * tx) * l->oc + o, to);
		}
	}
}

// --- the other layers, a row of out at a time

static void pool(const struct layer *l, int y) {
	int row = l->w * l->c;
	for (int x = 0; x < l->ow; x++)
		for (int c = 0; c < l->c; c += 16) {
			const uint8_t *p = l->in + 2 * y * row + 2 * x * l->c + c;
			v top = wasm_u8x16_max(wasm_v128_load(p), wasm_v128_load(p + l->c));
			v bottom = wasm_u8x16_max(wasm_v128_load(p + row), wasm_v128_load(p + row + l->c));
			wasm_v128_store(l->out + (y * l->ow + x) * l->c + c, rescale_bytes(wasm_u8x16_max(top, bottom), l->zero, l->k, l->k_out, l->out_zero));
		}
}

// Where a place of a row of twice the length lies between two of n.
struct between {
	int before, after;
	float to_before, to_after; // the distances
};

static inline struct between between(int x, int n) {
	int before = (x + 1) / 2 - 1, after = before + 1;
	if (before < 0) return (struct between){0, least(1, n - 1), 0, 1};
	if (after == n) return (struct between){before, before, 0.5f, 0.5f};
	return x % 2 ? (struct between){before, after, 0.25f, 0.75f} : (struct between){before, after, 0.75f, 0.25f};
}

static inline v real(const uint8_t *p, v zero, v k) {
	v words = wasm_i32x4_sub(wasm_u32x4_extend_low_u16x8(wasm_u16x8_extend_low_u8x16(wasm_v128_load32_zero(p))), zero);
	return wasm_f32x4_mul(wasm_f32x4_convert_i32x4(words), k);
}

// resize doubles the size, bilinear with pixels' centres at halves.
static void resize(const struct layer *l, int y) {
	struct between down = between(y, l->h);
	const uint8_t *upper = l->in + down.before * l->w * l->c, *lower = l->in + down.after * l->w * l->c;
	v zero = wasm_i32x4_splat(l->zero), k = wasm_f32x4_splat(l->k), k_out = wasm_f32x4_splat(l->k_out);
	for (int x = 0; x < l->ow; x++) {
		struct between across = between(x, l->w);
		v w11 = wasm_f32x4_splat(across.to_after * down.to_after), w21 = wasm_f32x4_splat(across.to_before * down.to_after);
		v w12 = wasm_f32x4_splat(across.to_after * down.to_before), w22 = wasm_f32x4_splat(across.to_before * down.to_before);
		int before = across.before * l->c, after = across.after * l->c;
		uint8_t *out = l->out + (y * l->ow + x) * l->c;
		for (int c = 0; c < l->c; c += 16) {
			v words[4];
			for (int i = 0; i < 4; i++) {
				int at = c + 4 * i;
				v sum = wasm_f32x4_mul(w11, real(upper + before + at, zero, k));
				sum = wasm_f32x4_add(sum, wasm_f32x4_mul(w21, real(upper + after + at, zero, k)));
				sum = wasm_f32x4_add(sum, wasm_f32x4_mul(w12, real(lower + before + at, zero, k)));
				sum = wasm_f32x4_add(sum, wasm_f32x4_mul(w22, real(lower + after + at, zero, k)));
				words[i] = quantised(wasm_f32x4_div(sum, k_out), l->out_zero);
			}
			wasm_v128_store(out + c, wasm_u8x16_narrow_i16x8(wasm_i16x8_narrow_i32x4(words[0], words[1]), wasm_i16x8_narrow_i32x4(words[2], words[3])));
		}
	}
}

static void add(const struct layer *l, int y) {
	v k = wasm_f32x4_splat(l->k), k2 = wasm_f32x4_splat(l->k2), b = wasm_f32x4_splat(l->b);
	int row = l->w * l->c;
	for (int i = y * row; i < (y + 1) * row; i += 8) {
		v p = wasm_u16x8_load8x8(l->in + i), q = wasm_u16x8_load8x8(l->in2 + i);
		v lo = wasm_f32x4_add(wasm_f32x4_mul(wasm_f32x4_convert_i32x4(wasm_u32x4_extend_low_u16x8(p)), k), b);
		v hi = wasm_f32x4_add(wasm_f32x4_mul(wasm_f32x4_convert_i32x4(wasm_u32x4_extend_high_u16x8(p)), k), b);
		lo = wasm_f32x4_add(lo, wasm_f32x4_mul(wasm_f32x4_convert_i32x4(wasm_u32x4_extend_low_u16x8(q)), k2));
		hi = wasm_f32x4_add(hi, wasm_f32x4_mul(wasm_f32x4_convert_i32x4(wasm_u32x4_extend_high_u16x8(q)), k2));
		v words = wasm_i16x8_narrow_i32x4(quantised(lo, 0), quantised(hi, 0));
		wasm_v128_store64_lane(l->out + i, wasm_u8x16_narrow_i16x8(words, words), 0);
	}
}

static void concat(const struct layer *l, int y) {
	int c2 = l->oc - l->c;
	for (int i = y * l->w; i < (y + 1) * l->w; i++) {
		uint8_t *out = l->out + i * l->oc;
		for (int c = 0; c < l->c; c += 16) wasm_v128_store(out + c, rescale_bytes(wasm_v128_load(l->in + i * l->c + c), l->zero, l->k, l->k_out, l->out_zero));
		for (int c = 0; c < c2; c += 16) wasm_v128_store(out + l->c + c, rescale_bytes(wasm_v128_load(l->in2 + i * c2 + c), l->zero2, l->k2, l->k_out, l->out_zero));
	}
}

// power returns e^x for x <= 0: e^x = 2^n * 2^f, with a polynomial for 2^f, f in
// -0.5..0.5 (relative error below 1e-6).
static inline float power(float x) {
	if (x < -87) return 0;
	float t = x * 1.44269504f, n = __builtin_rintf(t), f = t - n;
	float p = 1 + f * (0.69314718f + f * (0.24022651f + f * (0.05550411f + f * (0.00961813f + f * 0.00133336f))));
	union { int32_t i; float f; } two = { .i = ((int32_t)n + 127) << 23 };
	return p * two.f;
}

// mask doubles a row of float32 as resize does and writes its sigmoid in bytes.
static void mask(const struct layer *l, int y) {
	struct between down = between(y, l->h);
	const float *upper = (const float *)l->in + down.before * l->w, *lower = (const float *)l->in + down.after * l->w;
	for (int x = 0; x < l->ow; x++) {
		struct between across = between(x, l->w);
		float above = across.to_after * upper[across.before] + across.to_before * upper[across.after];
		float below = across.to_after * lower[across.before] + across.to_before * lower[across.after];
		float value = down.to_after * above + down.to_before * below;
		float e = power(value < 0 ? value : -value), share = (value < 0 ? e : 1) / (1 + e);
		l->out[y * l->ow + x] = (uint8_t)(255 * share + 0.5f);
	}
}

// --- threads

static void unit(const struct layer *l, int n, uint8_t *scratch) {
	switch (l->kind) {
	case WEIGHTS: weights(l, n); break;
	case WINOGRAD_WEIGHTS: winograd_weights(l, n); break;
	case CONV: conv(l, n, (int16_t *)scratch); break;
	case WINOGRAD: winograd(l, n, scratch); break;
	case POOL: pool(l, n); break;
	case RESIZE: resize(l, n); break;
	case ADD: add(l, n); break;
	case CONCAT: concat(l, n); break;
	case MASK: mask(l, n); break;
	}
}

// meet returns 0 once all threads have called it, the last of which resets the layer's
// units, or 1 if one does not come: a browser that lacks memory may have ended it.
static int meet(struct barrier *b, int threads, struct layer *l) {
	int32_t round = atomic_load(&b->round);
	if (atomic_fetch_add(&b->arrived, 1) + 1 == threads) {
		atomic_store(&l->next, 0);
		atomic_store(&b->arrived, 0);
		atomic_store(&b->round, round + 1);
		__builtin_wasm_memory_atomic_notify((int *)&b->round, threads);
		return 0;
	}
	for (int spin = 0; spin < 4000; spin++)
		if (atomic_load(&b->round) != round) return 0;
	int late = 0;
	while (!late && atomic_load(&b->round) == round) late = __builtin_wasm_memory_atomic_wait32((int *)&b->round, round, PATIENCE) == TIMED_OUT;
	return late;
}

// run computes layers, one after another. Every one of the threads must call it with
// the same layers. It returns 1 if one did not.
__attribute__((export_name("run")))
int run(struct layer *layers, int count, uint8_t *scratch, struct barrier *b, int threads) {
	for (struct layer *l = layers; l < layers + count; l++) {
		for (int n; (n = atomic_fetch_add(&l->next, 1)) < l->units;) unit(l, n, scratch);
		if (threads == 1) atomic_store(&l->next, 0);
		else if (meet(b, threads, l)) return 1;
	}
	return 0;
}
