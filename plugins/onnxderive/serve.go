package main

import (
	"os"
	"path/filepath"
	"strconv"

	"bgremover.pro/core/cutout"
	"bgremover.pro/plugins/contract"
	"bgremover.pro/plugins/internal/onnxgraph"
)

// serve writes, for each variant of the model, the graph that another server runs.
func serve(request contract.DeriveRequest) (answer contract.DeriveAnswer, err error) {
	for _, v := range request.Model.Variants {
		served, err := serveOne(request.Model, v, request.Dir)
		if err != nil {
			return answer, err
		}
		answer.Served = append(answer.Served, served)
	}
	return answer, nil
}

func serveOne(m cutout.Model, v cutout.Variant, dir string) (served contract.ServedGraph, err error) {
	file, err := os.ReadFile(v.File)
	if err != nil {
		return served, err
	}
	graph, err := onnxgraph.Parse(file, m.Input, m.Output)
	if err != nil {
		return served, err
	}
	if graph, err = graph.Trimmed(); err != nil {
		return served, err
	}
	if graph, err = graph.Resized(v.Size); err != nil {
		return served, err
	}
	if graph, err = graph.FromBytes(m.Scale, m.Mean, m.Std); err != nil {
		return served, err
	}
	many, single := graph.AnyBatch()
	if single != nil {
		served.Single, many = single.Error(), graph
	}
	content, err := many.Bytes()
	if err != nil {
		return served, err
	}
	served.Size, served.File, served.Batch = v.Size, filepath.Join(dir, strconv.Itoa(v.Size)+".onnx"), single == nil
	served.Input, served.Output = many.Input(), many.Output()
	served.OutputType, served.OutputShape = many.OutputType(), many.OutputShape()
	return served, writeSynced(served.File, content)
}
