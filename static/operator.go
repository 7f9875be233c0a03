package static

import _ "embed" // for the styles below

//go:embed operator/operator.css
var operatorPage string

//go:embed operator/charts.css
var operatorCharts string

// OperatorCSS is the style sheet of the operator's page; visitors never load it.
var OperatorCSS = []byte(operatorPage + operatorCharts)
