package encode

import (
	"archive/zip"
	"bytes"
	"context"
	"hash/crc32"

	"bgremover.pro/core/cutout"
)

// photoZIP writes colours and alpha as two files of the same size: color.jpg and
// alpha.png, which is grey in eight bits.
func photoZIP(ctx context.Context, p *cutout.Photo) ([]byte, error) {
	colours, err := photoJPEG(ctx, p)
	if err != nil {
		return nil, err
	}
	levels := picture{width: p.Width, height: p.Height, depth: 8, channels: 1}
	levels.row = func(y int, dst []byte) {
		for x := range dst {
			dst[x] = p.Pix[4*(y*p.Width+x)+3]
		}
	}
	alpha, err := writePNG(ctx, levels)
	if err != nil {
		return nil, err
	}
	file := bytes.NewBuffer(make([]byte, 0, len(colours)+len(alpha)+512))
	archive := zip.NewWriter(file)
	for _, part := range []struct {
		name    string
		content []byte
	}{{"color.jpg", colours}, {"alpha.png", alpha}} {
		// Sizes come before the data, as not every reader looks for them after it.
		n := uint64(len(part.content))
		w, err := archive.CreateRaw(&zip.FileHeader{
			Name: part.name, Method: zip.Store, CRC32: crc32.ChecksumIEEE(part.content),
			CompressedSize64: n, UncompressedSize64: n,
		})
		if err != nil {
			return nil, err
		}
		if _, err := w.Write(part.content); err != nil {
			return nil, err
		}
	}
	err = archive.Close()
	return file.Bytes(), err
}
