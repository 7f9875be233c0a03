package load_test

import (
	"bytes"
	"context"
	"encoding/binary"
	"image"
	"image/color"
	"image/gif"
	"image/jpeg"
	"image/png"
	"io"
	"math/rand/v2"
	"os"
	"testing"

	"golang.org/x/image/tiff"

	"bgremover.pro/core/cutout"
	"bgremover.pro/core/encode"
)

// largeFiles makes photos in every format, small files but for the noise. Those that
// cannot be written here, testdata, always have 8160 x 6120 pixels.
var largeFiles = map[string]func(t testing.TB, width, height int) []byte{
	"png":   flatPNG,
	"noise": noiseJPEG,
	"webp":  webpFile,
	"bmp":   func(_ testing.TB, width, height int) []byte { return oneBitBMP(width, height) },
	"png16": func(t testing.TB, width, height int) []byte {
		return written(t, func(w io.Writer) error { return png.Encode(w, deepImage(width, height)) })
	},
	"jpeg": func(t testing.TB, width, height int) []byte {
		return written(t, func(w io.Writer) error { return jpeg.Encode(w, shades(width, height), nil) })
	},
	"heic": stored("large.heic"),
	"avif": stored("large.avif"),
	"gif": func(t testing.TB, width, height int) []byte {
		return written(t, func(w io.Writer) error { return gif.Encode(w, palettedImage(width, height), nil) })
	},
	"tiff": func(t testing.TB, width, height int) []byte {
		return written(t, func(w io.Writer) error { return tiff.Encode(w, shades(width, height), deflated) })
	},
	"tiff16": func(t testing.TB, width, height int) []byte {
		return written(t, func(w io.Writer) error { return tiff.Encode(w, deepImage(width, height), deflated) })
	},
}

func stored(name string) func(testing.TB, int, int) []byte {
	return func(t testing.TB, _, _ int) []byte {
		t.Helper()
		file, err := os.ReadFile("testdata/" + name)
		if err != nil {
			t.Fatal(err)
		}
		return file
	}
}

var deflated = &tiff.Options{Compression: tiff.Deflate}

func written(t testing.TB, write func(io.Writer) error) []byte {
	t.Helper()
	var file bytes.Buffer
	if err := write(&file); err != nil {
		t.Fatal(err)
	}
	return file.Bytes()
}

// inside says whether a pixel belongs to the disc that the pictures show.
func inside(x, y, width, height int) bool {
	dx, dy := 2*x-width, 2*y-height
	return dx*dx+dy*dy < height*height/2
}

func shades(width, height int) *image.NRGBA {
	img := image.NewNRGBA(image.Rect(0, 0, width, height))
	for y := range height {
		for x := range width {
			c := [4]byte{byte(y >> 5), 120, 200, 255}
			if inside(x, y, width, height) {
				c = [4]byte{200, byte(x >> 5), 40, 255}
			}
			copy(img.Pix[y*img.Stride+4*x:], c[:])
		}
	}
	return img
}

func flatPNG(t testing.TB, width, height int) []byte {
	return written(t, func(w io.Writer) error {
		return (&png.Encoder{CompressionLevel: png.BestSpeed}).Encode(w, shades(width, height))
	})
}

func deepImage(width, height int) *image.NRGBA64 {
	img := image.NewNRGBA64(image.Rect(0, 0, width, height))
	for y := range height {
		for x := range width {
			c := color.NRGBA64{R: uint16(y), G: 30000, B: 50000, A: 65535}
			if inside(x, y, width, height) {
				c.R, c.B = 50000, 9000
			}
			img.SetNRGBA64(x, y, c)
		}
	}
	return img
}

func palettedImage(width, height int) *image.Paletted {
	img := image.NewPaletted(image.Rect(0, 0, width, height), color.Palette{color.White, color.Black})
	for y := range height {
		for x := range width {
			if inside(x, y, width, height) {
				img.Pix[y*img.Stride+x] = 1
			}
		}
	}
	return img
}

// noiseJPEG is as hard to compress, once decoded, as fits into an upload.
func noiseJPEG(t testing.TB, width, height int) []byte {
	img := image.NewGray(image.Rect(0, 0, width, height))
	random := rand.New(rand.NewPCG(1, 2))
	for i := 0; i+8 <= len(img.Pix); i += 8 {
		binary.LittleEndian.PutUint64(img.Pix[i:], random.Uint64())
	}
	return written(t, func(w io.Writer) error { return jpeg.Encode(w, img, &jpeg.Options{Quality: 25}) })
}

// oneBitBMP is the smallest file that a BMP of that size can be.
func oneBitBMP(width, height int) []byte {
	row := (width + 31) / 32 * 4
	file := make([]byte, 62+row*height)
	copy(file, "BM")
	le := binary.LittleEndian
	le.PutUint32(file[2:], uint32(len(file)))
	le.PutUint32(file[10:], 62)
	le.PutUint32(file[14:], 40)
	le.PutUint32(file[18:], uint32(width))
	le.PutUint32(file[22:], uint32(height))
	le.PutUint16(file[26:], 1)
	le.PutUint16(file[28:], 1)
	le.PutUint32(file[46:], 2)
	copy(file[54:], []byte{255, 255, 255, 0, 0, 0, 0, 0})
	for y := range height {
		for x := range width {
			if inside(x, y, width, height) {
				file[62+y*row+x/8] |= 0x80 >> (x % 8)
			}
		}
	}
	return file
}

func webpFile(t testing.TB, width, height int) []byte {
	t.Helper()
	img := shades(width, height)
	file, err := encode.Photo(context.Background(), &cutout.Photo{Width: width, Height: height, Pix: img.Pix, Opaque: true}, cutout.WebP, 8)
	if err != nil {
		t.Fatal(err)
	}
	return file
}
