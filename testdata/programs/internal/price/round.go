package price

type amount int

func (a amount) rounded() amount { return a / 5 * 5 }

// Rounded is the next lower multiple of five.
func Rounded(cents int) int { return int(amount(cents).rounded()) }
