/* SPDX-License-Identifier: Apache-2.0 */
#include "statistics.h"

#include <math.h>
#include <stdlib.h>

#define CUT      0.1
#define NORMAL95 1.96 /* halves hold a hundred pairs and more: Student's t is the same to 2 % */

static int by_value(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

double stats_quantile(double *v, size_t n, double q)
{
	if (!n)
		return 0;
	qsort(v, n, sizeof(*v), by_value);
	return v[(size_t)(q * (double)(n - 1) + 0.5)];
}

double stats_median(double *v, size_t n)
{
	if (!n)
		return 0;
	qsort(v, n, sizeof(*v), by_value);
	return n % 2 ? v[n / 2] : (v[n / 2 - 1] + v[n / 2]) / 2;
}

static double mean_of(const double *v, size_t n)
{
	double sum = 0;

	for (size_t i = 0; i < n; i++)
		sum += v[i];
	return sum / (double)n;
}

/* Variance when each value that would be cut off is the nearest that is not. */
static double winsorised_variance(const double *sorted, size_t n, size_t cut)
{
	double mean = 0, square = 0;

	for (int pass = 0; pass < 2; pass++)
		for (size_t i = 0; i < n; i++) {
			double x = sorted[i < cut ? cut : i >= n - cut ? n - cut - 1 : i];

			if (pass)
				square += (x - mean) * (x - mean);
			else
				mean += x / (double)n;
		}
	return square / (double)(n - 1);
}

static double trimmed_error(const double *sorted, size_t n, size_t cut)
{
	double kept = (double)(n - 2 * cut) / (double)n;

	return sqrt(winsorised_variance(sorted, n, cut) / (double)n) / kept;
}

static struct interval around(double middle, double error, double plain)
{
	return (struct interval){middle, middle - NORMAL95 * error, middle + NORMAL95 * error,
				 plain};
}

struct interval stats_trimmed(double *v, size_t n)
{
	size_t cut = (size_t)((double)n * CUT);

	qsort(v, n, sizeof(*v), by_value);
	return around(mean_of(v + cut, n - 2 * cut), trimmed_error(v, n, cut), mean_of(v, n));
}

struct interval stats_crossed(double *a, size_t na, double *b, size_t nb)
{
	struct interval x = stats_trimmed(a, na), y = stats_trimmed(b, nb);
	double error = hypot(x.high - x.middle, y.high - y.middle) / NORMAL95 / 2;

	return around((x.middle + y.middle) / 2, error, (x.plain + y.plain) / 2);
}

struct interval stats_exp(struct interval i)
{
	return (struct interval){exp(i.middle), exp(i.low), exp(i.high), exp(i.plain)};
}
