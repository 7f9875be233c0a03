package clib

import "bgremover.pro/core/sandbox"

// HEIF is the one that browsers lack; they decode the other formats themselves.
var HEIF = sandbox.Named("heif")
