/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Intervals that a noisy machine does not spoil.
 *
 * Slices are compared in pairs, neighbours in time, so that drift cancels. The tenth of the
 * differences at each end is cut off, since a slice that the hypervisor interrupted says nothing
 * about what is measured; the error is that of a trimmed mean (Yuen 1974, from the winsorised
 * variance).
 *
 * Two copies of one program are never equally fast (where their memory lies, how they hash). So who
 * is observed changes sides halfway: in one half the copies' difference adds to the effect, in the
 * other it is taken off, and the mean of the halves is the effect alone.
 */
#pragma once

#include <stddef.h>

struct interval {
	double middle, low, high; /* 95 % */
	double plain;             /* the mean with nothing cut off */
};

double stats_median(double *v, size_t n); /* sorts; 0 of nothing */
double stats_quantile(double *v, size_t n, double q);

struct interval stats_trimmed(double *v, size_t n); /* sorts; n ≥ 10 */
/* The mean of two halves, each trimmed on its own. */
struct interval stats_crossed(double *a, size_t na, double *b, size_t nb);
/* e^x of differences of logarithms: a ratio. */
struct interval stats_exp(struct interval i);
