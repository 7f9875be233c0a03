// Command onnx-derive makes faster graphs from an installed model, checks them
// against it, and measures the ranges that they need; it also makes the graphs that
// other servers run. It is started for one task,
// reads it from its standard input (contract.DeriveRequest), prints its answer and
// ends, which frees the gigabytes that it needs. It also ends when its input does,
// as when the program that started it ends.
package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"syscall"

	"bgremover.pro/core/cutout"
	"bgremover.pro/plugins/contract"
	"bgremover.pro/plugins/internal/onnxgraph"
	"bgremover.pro/plugins/internal/ort"
)

func main() {
	// Visitors who wait for a photo come first.
	_ = syscall.Setpriority(syscall.PRIO_PGRP, 0, 10)
	answer, err := answer(bufio.NewReader(os.Stdin))
	if err != nil {
		var lasting *onnxgraph.UnsupportedError
		answer.Error, answer.Lasting = cutoutMessage(err), errors.As(err, &lasting)
	}
	if err := json.NewEncoder(os.Stdout).Encode(answer); err != nil || answer.Error != "" {
		os.Exit(1)
	}
}

// cutoutMessage is the full text of an error: it is for the log, not for visitors.
func cutoutMessage(err error) string {
	var known *cutout.Error
	if errors.As(err, &known) {
		return known.Message
	}
	return err.Error()
}

func answer(in *bufio.Reader) (answer contract.DeriveAnswer, err error) {
	line, err := in.ReadBytes('\n')
	if err != nil {
		return answer, fmt.Errorf("reading the request: %w", err)
	}
	var request contract.DeriveRequest
	if err := json.Unmarshal(line, &request); err != nil {
		return answer, fmt.Errorf("reading the request: %w", err)
	}
	if files := len(request.Model.Variants); files < 1 || files > 1 && !request.Serve {
		return answer, errors.New("the request must name a model with one file")
	}
	pictures, err := readPictures(in, request)
	if err != nil {
		return answer, err
	}
	go func() {
		_, _ = io.Copy(io.Discard, in)
		os.Exit(1) // nobody is waiting for the answer any more
	}()
	if request.Serve {
		return serve(request)
	}
	ctx := context.Background()
	log := slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelWarn}))
	t := &task{DeriveRequest: request, backend: ort.New("onnx-derive", log, ort.CPU), pictures: pictures}
	if request.Calibrate {
		return t.calibrate(ctx)
	}
	return t.derive(ctx)
}

func readPictures(in io.Reader, request contract.DeriveRequest) ([]*cutout.Input, error) {
	sizes := request.Sizes
	if request.Calibrate {
		sizes = make([]int, request.Pictures)
		for i := range sizes {
			sizes[i] = request.Model.Variants[0].Size
		}
	}
	var pictures []*cutout.Input
	for _, size := range sizes {
		if size < 1 || size > contract.MaxSize {
			return nil, fmt.Errorf("a size of %d is not possible", size)
		}
		picture := &cutout.Input{Width: size, Height: size, Pix: make([]uint8, 3*size*size)}
		if _, err := io.ReadFull(in, picture.Pix); err != nil {
			return nil, fmt.Errorf("reading the pictures: %w", err)
		}
		pictures = append(pictures, picture)
	}
	return pictures, nil
}
