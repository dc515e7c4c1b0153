# Databricks notebook source
display(spark.table("main.starter_shop.orders"))
