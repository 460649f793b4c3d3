#include "precision.h"

#include "code.h"

double precision_round(enum metric m, double value)
{
	bool saturated = false;

	return code_value(m, code_of(m, value, &saturated));
}
