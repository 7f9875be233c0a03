package static

import _ "embed" // for the files below

//go:embed operator/operator.css
var operatorPage string

//go:embed operator/charts.css
var operatorCharts string

// OperatorCSS is the style sheet of the operator's page; visitors never load it.
var OperatorCSS = []byte(operatorPage + operatorCharts)

// OperatorJS is its script.
//
//go:embed operator/js/operator.js
var OperatorJS []byte
