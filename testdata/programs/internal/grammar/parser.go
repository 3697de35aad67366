// Package grammar is as a generator would have written it.
package grammar

//line grammar.y:10
import "strings"

// Evaluate counts operators.
//
//line grammar.y:20
func Evaluate(expression string) (operators int) {
//line grammar.y:30
	for _, symbol := range expression {
//line grammar.y:25
		if isOperator(symbol) {
			operators++
		}
	}
	return
}

//line actions.y:20:7
func isOperator(symbol rune) bool { return strings.ContainsRune("+-*/", symbol) }

//line grammar.y:20
func twin(expression string) (operators int) {
//line grammar.y:30
	for range expression {
		operators++
	}
	return
}
