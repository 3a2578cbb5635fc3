package vendors

// IDForm is how one platform writes its ids, so that an id of another platform
// is told before it is sent.
type IDForm struct {
	Platform string // as in settings: "coze"
	Name     string // as people write it: "Coze"
	Words    string // "ids of Coze are ...": one phrase
	Is       func(id string) bool
	// Chosen reports, on a platform that also has ids that people choose, what
	// may be such an id; nil where all are the platform's own.
	Chosen func(id string, document bool) bool
}

// IDChecker is a driver whose platform's ids all have its form. CheckID refuses
// another one; arg is the argument that holds it, for the message. Every other
// method is called with ids that have passed.
type IDChecker interface {
	CheckID(arg, id string) error
}

// Foreign gives the platform of forms whose id this is, when it cannot be one of
// form f. Whatever has no platform's form is left to the platform to judge.
func (f IDForm) Foreign(forms []IDForm, id string, document bool) (of IDForm, foreign bool) {
	if id == "" || f.Is == nil || f.Is(id) || f.Chosen != nil && f.Chosen(id, document) {
		return IDForm{}, false
	}
	for _, other := range forms {
		if other.Is(id) {
			return other, true
		}
	}
	return IDForm{}, false
}
